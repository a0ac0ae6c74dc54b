import { describe, expect, it } from 'vitest'
import { emptied, mail, PATIENCE, queueStage, waiting } from './queue-stage.js'
import { no } from './scripted-relay.js'

type Stage = Awaited<ReturnType<typeof queueStage>>

const delivery = ({ log }: Stage) => log.of('queue delivery')

describe('a spool that fails', () => {
  it('loses and bounces nothing when a content cannot be read', async () => {
    const stage = await queueStage()
    await stage.put(mail(['ann@a.example']))
    stage.spool.faults.message.push(new Error('EIO'))
    await stage.runner.start()
    await emptied(stage.spool)
    expect(delivery(stage).map(({ status }) => status)).toEqual(['deferred', 'sent'])
  })

  it('that cannot write now gets it in writing later: the mail is not sent again', async () => {
    const stage = await queueStage()
    stage.spool.faults.settle.push(new Error('ENOSPC'))
    await stage.runner.start()
    await stage.put(mail(['ann@a.example']))
    await expect.poll(() => stage.log.of('queue cannot write'), PATIENCE).toHaveLength(1)
    expect(await waiting(stage.spool)).toEqual(['ann@a.example remote waiting 0 -'])
    // It would try again in a while; a stop tries at once.
    await stage.runner.stop()
    expect(stage.spool.ids()).toEqual([])
    expect(stage.relay.works).toHaveLength(1)
  })

  it('is written to by nobody who has lost the loan', async () => {
    const stage = await queueStage()
    let release = () => {}
    stage.relay.holds.set('a.example', new Promise((resolve) => (release = resolve)))
    await stage.runner.start()
    await stage.put(mail(['ann@a.example']))
    await expect.poll(() => stage.relay.works.length, PATIENCE).toBe(1)
    stage.spool.age(3_600_000)
    expect(await stage.spool.change('E1', (item) => item)).toBe(true)
    const before = await stage.spool.read('E1')
    stage.relay.holds.delete('a.example')
    release()
    await expect.poll(() => stage.log.of('queue lease lost'), PATIENCE).toHaveLength(1)
    expect(before?.recipients[0]).toMatchObject({ state: 'waiting', attempts: 0 })
    await emptied(stage.spool)
    expect(stage.relay.works).toHaveLength(2)
  })
})

describe('one message on several ways', () => {
  it('is reported once, after all of them have been tried', async () => {
    const stage = await queueStage()
    let release = () => {}
    stage.relay.answers.set('ann@a.example', [no(550, '5.1.1')])
    stage.relay.answers.set('ben@b.example', [no(550, '5.1.1')])
    stage.relay.holds.set('b.example', new Promise((resolve) => (release = resolve)))
    await stage.runner.start()
    await stage.put(mail(['ann@a.example', 'ben@b.example']))
    await expect.poll(() => delivery(stage).length, PATIENCE).toBe(1)
    release()
    await emptied(stage.spool)
    expect(stage.reports.map(({ recipients }) => recipients.length)).toEqual([2])
  })
})

describe('a stop', () => {
  it('waits for what is under way and begins nothing more', async () => {
    const stage = await queueStage()
    let release = () => {}
    stage.relay.rooms = 1
    stage.relay.holds.set('a.example', new Promise((resolve) => (release = resolve)))
    await stage.runner.start()
    await stage.put(mail(['ann@a.example']))
    await stage.put(mail(['amy@a.example'], { id: 'E2' }))
    await expect.poll(() => stage.relay.works.length, PATIENCE).toBe(1)
    const stopped = stage.runner.stop()
    release()
    await stopped
    expect(await waiting(stage.spool)).toEqual(['amy@a.example remote waiting 0 -'])
    expect(stage.relay.works).toHaveLength(1)
    await stage.runner.start()
    await emptied(stage.spool)
  })

  it('leaves what was put afterwards for the next start', async () => {
    const stage = await queueStage()
    await stage.put(mail(['ann@a.example']))
    expect(stage.relay.works).toEqual([])
    await stage.runner.start()
    await emptied(stage.spool)
  })
})
