import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Reporter } from '../../src/queue/reporter.js'
import { addressOf } from '../helpers/mail-world.js'
import { emptied, mail, PATIENCE, queueStage, waiting } from './queue-stage.js'
import { no } from './scripted-relay.js'

const ALICE = addressOf('alice@example.com')
const gone = no(550, '5.1.1', 'no such user')

describe('a report', () => {
  it('is one report though the message cannot be marked at first', async () => {
    const stage = await queueStage()
    stage.relay.answers.set('ann@a.example', [gone])
    stage.spool.busy = 1
    await stage.runner.start()
    await stage.put(mail(['ann@a.example'], { from: ALICE }))
    await expect.poll(() => stage.mailbox('alice').catch(() => []), PATIENCE).toHaveLength(1)
    await stage.sweeper.start()
    await emptied(stage.spool)
    expect(stage.reports).toHaveLength(1)
  })

  it('is one report though the server was killed before it could mark the message', async () => {
    const stage = await queueStage()
    await symlink('/nowhere', join(stage.here, 'alice'))
    await stage.put(mail(['bob', 'ghost'], { from: ALICE }))
    const [item] = await stage.spool.items()
    stage.spool.busy = 1
    await stage.reporter.look(item!)
    const afterRestart = new Reporter(stage.reporterParts)
    await afterRestart.look(item!)
    expect(stage.reports.map(({ id }) => id)).toEqual([stage.reports[0]!.id, stage.reports[0]!.id])
    expect(stage.spool.added).toEqual(['E1', stage.reports[0]!.id])
    expect(await waiting(stage.spool)).toEqual(['alice@example.com mailbox waiting 0 -'])
  })

  it('that the spool cannot take is made later', async () => {
    const stage = await queueStage()
    await stage.put(mail(['bob', 'ghost'], { from: ALICE }))
    stage.spool.faults.add.push(new Error('EIO'))
    await stage.runner.start()
    await stage.sweeper.start()
    await emptied(stage.spool)
    expect(await stage.mailbox('alice')).toHaveLength(1)
    expect(stage.log.of('queue report failed')).toHaveLength(1)
  })

  it('is made of what the spool comes to know of only after the start', async () => {
    const stage = await queueStage()
    await stage.sweeper.start()
    await stage.put(mail(['bob', 'ghost'], { from: ALICE }))
    await expect.poll(() => stage.reports, PATIENCE).toHaveLength(1)
  })

  it('of mail that nobody can read any more is made without it, once its time is over', async () => {
    const stage = await queueStage()
    await stage.put(mail(['bob', 'ghost'], { from: ALICE }))
    const [item] = await stage.spool.items()
    stage.spool.faults.message.push(new Error('EIO'))
    await stage.reporter.look(item!)
    expect(stage.reports).toEqual([])
    stage.spool.age(6 * 86_400_000)
    stage.spool.faults.message.push(new Error('EIO'))
    await stage.reporter.look(item!)
    expect(stage.reports).toHaveLength(1)
    expect(stage.log.of('queue message unreadable')).toHaveLength(1)
  })

  it('is owed to nobody who was refused (Q4): mail that was not taken leaves nothing behind', async () => {
    const stage = await queueStage()
    expect(await stage.put(mail(['ghost']))).toEqual(['550 5.1.1'])
    expect(stage.spool.added).toEqual([])
  })
})
