import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../src/mail/address.js'
import type { DsnEvent, Notice } from '../../src/mail/envelope.js'
import { addressOf } from '../helpers/mail-world.js'
import { emptied, mail, PATIENCE, queueStage } from './queue-stage.js'
import { no, yes } from './scripted-relay.js'

type Stage = Awaited<ReturnType<typeof queueStage>>

const ALICE = addressOf('alice@example.com')
const gone = no(550, '5.1.1', 'no such user')
const notify = (...events: DsnEvent[]): Notice => ({ notify: events, originalRecipient: null })
/** What the reports said: to whom, and `recipient action` each. */
const told = ({ reports }: Stage) =>
  reports.map(({ to, recipients }) => [
    formatAddress(to),
    ...recipients.map((one) => `${formatAddress(one.to)} ${one.action}`),
  ])

/** The stage with mail from alice that was put and seen through. */
async function sent(
  to: readonly string[],
  answers: Record<string, ReturnType<typeof no>>,
  more: Parameters<typeof mail>[1] = {},
  aliases = '',
): Promise<Stage> {
  const stage = await queueStage(aliases)
  for (const [address, answer] of Object.entries(answers))
    stage.relay.answers.set(address, [answer])
  await stage.runner.start()
  await stage.put(mail(to, { from: ALICE, ...more }))
  await emptied(stage.spool)
  return stage
}

describe('a failure', () => {
  it('is told to a sender of ours in one report, by a delivery of ours', async () => {
    const stage = await sent(['ann@a.example', 'amy@a.example', 'zoe@a.example'], {
      'ann@a.example': gone,
      'amy@a.example': gone,
    })
    expect(told(stage)).toEqual([
      ['alice@example.com', 'ann@a.example failed', 'amy@a.example failed'],
    ])
    expect(stage.reports[0]).toMatchObject({
      about: 'E1',
      recipients: [
        {
          status: '5.1.1',
          diagnostic: '550 5.1.1 no such user',
          remote: 'mx.far.example [192.0.2.9]',
        },
        {},
      ],
    })
    const [report] = await stage.mailbox('alice')
    expect(report).toMatch(
      /^Return-Path: <>\nDelivered-To: alice@example\.com\nSubject: report E1R/,
    )
    expect(stage.relay.works).toHaveLength(1)
  })

  it('is told to a sender elsewhere through the relay, from the null path', async () => {
    const stage = await sent(
      ['ann@a.example'],
      { 'ann@a.example': gone },
      { from: addressOf('joe@far.example') },
    )
    expect(stage.relay.works.map(({ from }) => from && formatAddress(from))).toEqual([
      'joe@far.example',
      null,
    ])
  })

  it('of a place behind an alias is told though others have the mail', async () => {
    const stage = await sent(['team'], {}, {}, 'team: bob, "|/bin/false"\n')
    expect(told(stage)).toEqual([['alice@example.com', 'team@example.com failed']])
    expect(await stage.mailbox('bob')).toHaveLength(1)
  })

  it('is not told to a sender who does not want to hear of it', async () => {
    const notices = [notify(), notify('success'), notify('failure')]
    const to = ['ann@a.example', 'amy@a.example', 'zoe@a.example']
    const answers = Object.fromEntries(to.map((one) => [one, gone]))
    const stage = await sent(to, answers, { notices })
    expect(told(stage)).toEqual([['alice@example.com', 'zoe@a.example failed']])
  })

  it('is told to nobody when the sender is not there, or is elsewhere while there is no relay', async () => {
    const stage = await sent(
      ['ann@a.example'],
      { 'ann@a.example': gone },
      { from: addressOf('ghost@example.com') },
    )
    expect(stage.reports).toEqual([])
    expect(stage.log.of('queue report dropped')).toMatchObject([
      { id: 'E1', to: 'ghost@example.com' },
    ])
    const other = await queueStage('team: bob, "|/bin/false"\n')
    other.relay.enabled = false
    await other.runner.start()
    await other.put(mail(['team']))
    await emptied(other.spool)
    expect(other.log.of('queue report dropped')).toMatchObject([{ to: 'joe@far.example' }])
  })
})

describe('mail without a sender (Q3)', () => {
  it('is reported to the postmaster when it fails, and never to anybody else', async () => {
    const stage = await sent(['ann@a.example'], { 'ann@a.example': gone }, { from: null })
    expect(told(stage)).toEqual([['postmaster@example.com', 'ann@a.example failed']])
    expect(await stage.mailbox('postmaster')).toHaveLength(1)
    expect(stage.relay.works).toHaveLength(1)
  })

  it('is a report itself: one that fails goes to the postmaster', async () => {
    const stage = await sent(
      ['ann@a.example'],
      { 'ann@a.example': gone, 'joe@far.example': gone },
      { from: addressOf('joe@far.example') },
    )
    expect(told(stage)).toEqual([
      ['joe@far.example', 'ann@a.example failed'],
      ['postmaster@example.com', 'joe@far.example failed'],
    ])
  })

  it('ends without a word when the postmaster cannot get it either', async () => {
    const stage = await queueStage('postmaster: chief@a.example\n')
    stage.relay.answers.set('ann@a.example', [gone])
    stage.relay.answers.set('chief@a.example', [gone])
    await stage.runner.start()
    await stage.put(mail(['ann@a.example'], { from: null }))
    await emptied(stage.spool)
    expect(told(stage)).toEqual([['postmaster@example.com', 'ann@a.example failed']])
    expect(stage.log.of('queue double bounce dropped')).toHaveLength(1)
  })

  it('hears of no success and of no delay', async () => {
    const notices = [notify('success', 'delay')]
    const stage = await sent(['ann@a.example'], {}, { from: null, notices })
    expect(stage.reports).toEqual([])
  })
})

describe('a success', () => {
  it('is told when that was asked for, and only by the last server that can', async () => {
    const to = ['bob', 'ann@a.example', 'ben@b.example']
    const handedOn = { ...yes, reportsItself: true }
    const notices = [notify('success'), notify('success'), notify('success')]
    const stage = await sent(to, { 'ben@b.example': handedOn }, { notices })
    expect(told(stage)).toEqual([
      ['alice@example.com', 'bob@example.com delivered', 'ann@a.example relayed'],
    ])
  })

  it('is told of mail that needed no queue', async () => {
    const stage = await sent(['bob'], {}, { notices: [notify('success')] })
    expect(told(stage)).toEqual([['alice@example.com', 'bob@example.com delivered']])
    expect(stage.relay.works).toEqual([])
  })

  it('is not claimed for an address of which one place failed', async () => {
    const aliases = 'team: bob, ann@a.example\n'
    const notices = [notify('success', 'failure')]
    const stage = await sent(['team'], { 'ann@a.example': gone }, { notices }, aliases)
    expect(told(stage)).toEqual([['alice@example.com', 'team@example.com failed']])
  })
})

describe('a delay', () => {
  const slow = { schedule: { firstMs: 5, maxMs: 5, delayWarningMs: 3_600_000 } }

  it('is told once, and the end as well', async () => {
    const stage = await queueStage('', slow)
    stage.relay.answers.set('ann@a.example', [no(451, '4.4.1')])
    stage.relay.answers.set('amy@a.example', [no(451, '4.4.1')])
    await stage.put(
      mail(['ann@a.example', 'amy@a.example'], { from: ALICE, notices: [null, notify('failure')] }),
    )
    stage.spool.age(2 * 3_600_000)
    await stage.runner.start()
    await expect.poll(() => stage.relay.works.length, PATIENCE).toBeGreaterThan(3)
    expect(told(stage)).toEqual([['alice@example.com', 'ann@a.example delayed']])
    expect(stage.reports[0]?.recipients[0]).toMatchObject({ status: '4.4.1' })
    stage.relay.answers.set('ann@a.example', [gone])
    stage.relay.answers.set('amy@a.example', [yes])
    await emptied(stage.spool)
    expect(told(stage).slice(1)).toEqual([['alice@example.com', 'ann@a.example failed']])
  })
})
