import { rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { formatAddress } from '../../src/mail/address.js'
import { addressOf } from '../helpers/mail-world.js'
import { BODY, emptied, mail, PATIENCE, queueStage, waiting } from './queue-stage.js'
import { no, yes } from './scripted-relay.js'

type Stage = Awaited<ReturnType<typeof queueStage>>

const delivery = ({ log }: Stage) => log.of('queue delivery')

describe('mail for other servers', () => {
  it('is handed over at once, from memory, and its story is in the log', async () => {
    const stage = await queueStage()
    await stage.runner.start()
    await stage.put(mail(['ann@a.example', 'amy@a.example', 'ben@b.example']))
    await emptied(stage.spool)
    const works = stage.relay.works.map(({ recipients }) =>
      recipients.map(({ to }) => formatAddress(to)),
    )
    expect(works).toEqual([['ann@a.example', 'amy@a.example'], ['ben@b.example']])
    expect(stage.relay.contents).toEqual([BODY, BODY])
    expect(stage.spool.reads).toBe(0)
    expect(stage.log.of('queue active')).toMatchObject([{ id: 'E1', nrcpt: 3 }])
    expect(delivery(stage)).toHaveLength(3)
    expect(delivery(stage)[0]).toMatchObject({
      id: 'E1',
      to: 'ann@a.example',
      relay: 'mx.far.example [192.0.2.9]',
      dsn: '2.0.0',
      status: 'sent',
      said: '250 2.0.0 queued',
    })
    expect(stage.log.of('queue removed')).toEqual([{ id: 'E1' }])
  })

  it('waits out every 4xx and is delivered in the end, without a report', async () => {
    const stage = await queueStage()
    const later = no(451, '4.7.1')
    stage.relay.answers.set('ann@a.example', [later, later, later, yes])
    await stage.runner.start()
    await stage.put(mail(['ann@a.example']))
    await emptied(stage.spool)
    const states = delivery(stage).map(({ status }) => status)
    expect(states).toEqual(['deferred', 'deferred', 'deferred', 'sent'])
    expect(stage.reports).toEqual([])
  })

  it('is never tried again after a 5xx', async () => {
    const stage = await queueStage()
    stage.relay.answers.set('ann@a.example', [no(550, '5.1.1')])
    await stage.runner.start()
    await stage.put(
      mail(['ann@a.example', 'amy@a.example'], { from: addressOf('alice@example.com') }),
    )
    await emptied(stage.spool)
    expect(stage.relay.works).toHaveLength(1)
    expect(delivery(stage)[0]).toMatchObject({ status: 'bounced', dsn: '5.1.1' })
    expect(stage.reports.map(({ recipients }) => recipients.length)).toEqual([1])
  })

  it('comes back when it has waited too long, whatever the system clock says', async () => {
    const stage = await queueStage('', { schedule: { firstMs: 86_400_000, maxMs: 86_400_000 } })
    stage.relay.answers.set('ann@a.example', [no(451, '4.4.1')])
    await stage.put(mail(['ann@a.example'], { from: addressOf('alice@example.com') }))
    stage.spool.age(6 * 86_400_000)
    await stage.runner.start()
    await emptied(stage.spool)
    expect(delivery(stage)[0]).toMatchObject({ status: 'expired', dsn: '4.4.1' })
    expect(stage.reports[0]?.recipients).toMatchObject([
      { action: 'failed', status: '5.4.7', diagnostic: '451 4.4.1 go away' },
    ])
  })

  it('goes in transactions of a hundred, and apart where the reverse-paths differ', async () => {
    const stage = await queueStage('fwd: zoe@a.example\n', {
      rewrite: (_, { of }) => (of.domain === 'example.com' ? addressOf('srs@example.com') : null),
    })
    const many = Array.from({ length: 150 }, (_, n) => `u${n}@a.example`)
    await stage.runner.start()
    await stage.put(mail([...many, 'fwd']))
    await emptied(stage.spool)
    const works = stage.relay.works.map(({ from, recipients }) => [
      formatAddress(from!),
      recipients.length,
    ])
    expect(works).toEqual([
      ['joe@far.example', 100],
      ['joe@far.example', 50],
      ['srs@example.com', 1],
    ])
  })

  it('is not held up by a destination that does not answer, nor are more sent there at once than may be', async () => {
    const stage = await queueStage()
    let release = () => {}
    stage.relay.rooms = 2
    stage.relay.holds.set('slow.example', new Promise((resolve) => (release = resolve)))
    await stage.runner.start()
    for (let n = 0; n < 5; n++) await stage.put(mail([`u${n}@slow.example`], { id: `SLOW${n}` }))
    await stage.put(mail(['ann@a.example'], { id: 'FAST' }))
    await expect.poll(() => stage.spool.ids(), PATIENCE).not.toContain('FAST')
    expect(stage.relay.works.map(({ id }) => id)).toEqual(['SLOW0', 'SLOW1', 'FAST'])
    release()
    await emptied(stage.spool)
    expect(stage.relay.works).toHaveLength(6)
  })

  it('waits while the rate of its lane is used up, and nothing is held against it', async () => {
    const stage = await queueStage()
    stage.relay.pauses.set('a.example', 20)
    await stage.runner.start()
    await stage.put(mail(['ann@a.example', 'ben@b.example']))
    await expect.poll(() => stage.relay.works.length, PATIENCE).toBe(1)
    expect(await waiting(stage.spool)).toContain('ann@a.example remote waiting 0 -')
    stage.relay.pauses.clear()
    await emptied(stage.spool)
  })

  it('of a relay that forgets an answer is tried again', async () => {
    const stage = await queueStage()
    const { relay } = stage
    const deliver = relay.deliver.bind(relay)
    relay.deliver = async (...work) =>
      (await deliver(...work)).slice(relay.works.length > 1 ? 0 : 1)
    await stage.runner.start()
    await stage.put(mail(['ann@a.example']))
    await emptied(stage.spool)
    expect(delivery(stage).map(({ status }) => status)).toEqual(['deferred', 'sent'])
  })
})

describe('mail for places of ours', () => {
  it('is delivered once what was in the way is gone, by the rules of then', async () => {
    const stage = await queueStage('team: alice, bob\n')
    await symlink('/nowhere', join(stage.here, 'bob'))
    await stage.runner.start()
    await stage.put(mail(['team']))
    await expect.poll(() => delivery(stage).length, PATIENCE).toBeGreaterThan(1)
    await rm(join(stage.here, 'bob'))
    await emptied(stage.spool)
    expect(await stage.mailbox('bob')).toHaveLength(1)
    expect(await stage.mailbox('alice')).toHaveLength(1)
  })

  it('is delivered when its recipient can be looked up again, to all places', async () => {
    const stage = await queueStage('loop: loop2\nloop2: loop\n')
    expect(await stage.put(mail(['alice', 'loop']))).toEqual(['taken', 'taken'])
    expect(await waiting(stage.spool)).toEqual(['loop@example.com mailbox waiting 1 4.3.5'])
    await writeFile(stage.tree.aliasFile('example.com'), 'loop: bob, ann@a.example\n')
    await expect
      .poll(() => stage.tree.directory.resolve(addressOf('loop@example.com')).catch(() => []))
      .toHaveLength(2)
    await stage.runner.start()
    await emptied(stage.spool)
    expect(await stage.mailbox('bob')).toHaveLength(1)
    expect(stage.relay.works).toHaveLength(1)
    expect(stage.spool.added).toHaveLength(2)
  })

  it('makes no mailbox for a user who is gone meanwhile: the sender hears of it', async () => {
    const stage = await queueStage('', { schedule: { firstMs: 1 } })
    await symlink('/nowhere', join(stage.here, 'bob'))
    await stage.put(mail(['alice', 'bob'], { from: addressOf('alice@example.com') }))
    await rm(join(stage.here, 'bob'))
    await stage.tree.users('example.com').remove('bob')
    // The directory remembers users for a moment.
    stage.tree.directory.reconfigure({
      domains: {
        'example.com': {
          path: stage.here,
          aliases: stage.tree.aliasFile('example.com'),
          bounceToPostmaster: false,
          catchAll: null,
        },
      },
      defaultDomain: null,
    })
    await stage.runner.start()
    await emptied(stage.spool)
    await expect(stage.mailbox('bob')).rejects.toThrow('ENOENT')
    expect(stage.reports[0]?.recipients).toMatchObject([{ action: 'failed', status: '5.1.1' }])
  })
})
