import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../src/mail/address.js'
import { addressOf } from '../helpers/mail-world.js'
import { mail, queueStage, waiting } from './queue-stage.js'

const SUCCESS = { notify: ['success' as const], originalRecipient: null }

/** His mailbox fails for now. */
const breakBob = (here: string) => symlink('/nowhere', join(here, 'bob'))

describe('a message that the queue takes', () => {
  it('touches no spool when all of it is delivered', async () => {
    const { put, spool, mailbox } = await queueStage('team: alice, bob\n')
    expect(await put(mail(['team', 'postmaster']))).toEqual(['taken', 'taken'])
    expect(spool.added).toEqual([])
    for (const name of ['alice', 'bob', 'postmaster']) expect(await mailbox(name)).toHaveLength(1)
  })

  it('waits in the spool for other servers, and is never tried at once', async () => {
    const { put, spool, relay } = await queueStage()
    expect(await put(mail(['ann@a.example', 'alice']))).toEqual(['taken', 'taken'])
    expect(await waiting(spool)).toEqual(['ann@a.example remote waiting 0 -'])
    expect(relay.works).toEqual([])
  })

  it('waits for the places that may work later, and fails for those that never will', async () => {
    const stage = await queueStage('team: alice, "|/bin/false", |/nowhere/x\n')
    expect(await stage.put(mail(['team']))).toEqual(['taken'])
    expect(await waiting(stage.spool)).toEqual([
      'team@example.com program failed 1 5.3.0',
      'team@example.com program waiting 1 4.3.0',
    ])
    expect((await stage.spool.items())[0]?.recipients.map(({ reported }) => reported)).toEqual([
      false,
      false,
    ])
    expect(await stage.mailbox('alice')).toHaveLength(1)
  })

  it('is refused when nobody gets it', async () => {
    const { put, spool, here } = await queueStage('team: "|/bin/false", "|/bin/false again"\n')
    await breakBob(here)
    expect(await put(mail(['team', 'bob', 'ghost']))).toEqual([
      '554 5.3.0',
      '451 4.2.0',
      '550 5.1.1',
    ])
    expect(spool.added).toEqual([])
  })

  it('is taken for all when one of them has it: one reply is for all', async () => {
    const { put, spool, here } = await queueStage()
    await breakBob(here)
    expect(await put(mail(['alice', 'bob', 'ghost']))).toEqual(['taken', 'taken', 'taken'])
    expect(await waiting(spool)).toEqual([
      'bob@example.com mailbox waiting 1 4.2.0',
      'ghost@example.com mailbox failed 1 5.1.1',
    ])
  })

  it('is refused for some when each hears of itself', async () => {
    const { put, spool, here } = await queueStage('team: alice, bob\n')
    await breakBob(here)
    const told = await put(mail(['alice', 'bob', 'ghost', 'team'], { answersEach: true }))
    expect(told).toEqual(['taken', '451 4.2.0', '550 5.1.1', 'taken'])
    expect(await waiting(spool)).toEqual(['team@example.com mailbox waiting 1 4.2.0'])
  })

  it('goes once to a place that several recipients lead to', async () => {
    const { put, spool } = await queueStage('one: ann@a.example\ntwo: ann@a.example, alice\n')
    expect(await put(mail(['one', 'two', 'ann@a.example']))).toEqual(['taken', 'taken', 'taken'])
    expect(await waiting(spool)).toEqual(['ann@a.example remote waiting 0 -'])
  })

  it('is kept for the report alone when the sender asked for that', async () => {
    const { put, spool } = await queueStage('team: alice, bob\n')
    expect(await put(mail(['team', 'postmaster'], { notices: [SUCCESS, null] }))).toEqual([
      'taken',
      'taken',
    ])
    expect(await waiting(spool)).toEqual([
      'team@example.com mailbox delivered 1 -',
      'team@example.com mailbox delivered 1 -',
    ])
  })

  it('asks for nothing when it has no sender', async () => {
    const { put, spool } = await queueStage()
    await put(mail(['alice', 'ann@a.example'], { notices: [SUCCESS, null], from: null }))
    const [item] = await spool.items()
    expect(item?.recipients.map(({ reported }) => reported)).toEqual([true, false])
  })
})

describe('a forward', () => {
  it('has the reverse-path that the rewriting gives it', async () => {
    const { put, spool } = await queueStage('one: ann@a.example\n', {
      rewrite: (from, { of }) =>
        from === null ? null : addressOf(`srs=${from.local}=${of.local}@example.com`),
    })
    await put(mail(['one', 'alice']))
    const [item] = await spool.items()
    expect(formatAddress(item!.recipients[0]!.from!)).toBe('srs=joe=one@example.com')
    expect(formatAddress(item!.from!)).toBe('joe@far.example')
  })

  it('waits at the client while there is no relay', async () => {
    const { put, spool, relay } = await queueStage('one: ann@a.example\n')
    relay.enabled = false
    expect(await put(mail(['one', 'ann@a.example']))).toEqual(['451 4.3.5', '451 4.3.5'])
    expect(spool.added).toEqual([])
  })
})

describe('a spool that cannot take a message', () => {
  const full = Object.assign(new Error('no space'), { code: 'ENOSPC' })

  it.each([
    [full, '452 4.3.1'],
    [Object.assign(new Error('quota'), { code: 'EDQUOT' }), '452 4.3.1'],
    [Object.assign(new Error('disk'), { code: 'EIO' }), '451 4.3.0'],
  ])('leaves it with the client: %s is %s', async (fault, reply) => {
    const { put, spool } = await queueStage('team: alice, ann@a.example\n')
    spool.faults.add.push(fault)
    expect(await put(mail(['team', 'bob', 'ben@b.example']))).toEqual([reply, 'taken', reply])
    expect(await spool.items()).toEqual([])
  })

  it('denies nobody what was delivered, if only a report is lost with it', async () => {
    const { put, spool, mailbox } = await queueStage()
    spool.faults.add.push(full)
    expect(await put(mail(['alice'], { notices: [SUCCESS] }))).toEqual(['taken'])
    expect(await mailbox('alice')).toHaveLength(1)
  })
})
