import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { type ChoiceText, parseChoice, parseOrder } from '../../src/mail/queue-choice.js'
import { headerOf } from '../../src/queue/header-part.js'
import { laneBy } from '../../src/queue/lane-of.js'
import { SpoolDesk } from '../../src/queue/spool-desk.js'
import { collected } from '../helpers/collected.js'
import { BODY, emptied, mail, PATIENCE, queueStage, waiting } from './queue-stage.js'
import { no } from './scripted-relay.js'

const HOUR = 3_600_000
const ANN = 'ann@far.example'
const BEN = 'ben@other.example'

/** A desk at a queue whose servers say "later" until a test lets them say something else. */
async function deskStage() {
  const stage = await queueStage('friends: ann@far.example', {
    schedule: { firstMs: HOUR, maxMs: HOUR },
  })
  const { spool, relay, runner, reporter, log } = stage
  const clock = { ahead: 0 }
  const desk = new SpoolDesk({
    spool,
    laneOf: laneBy(relay),
    kick: () => runner.kick(),
    report: (item) => reporter.look(item),
    log,
    now: () => Date.now() + clock.ahead,
  })
  for (const to of [ANN, BEN]) relay.answers.set(to, [no(450, '4.2.0', 'not now')])
  const list = async (choice: ChoiceText = {}): Promise<string[]> => {
    const found = await collected(desk.list(parseChoice(choice)))
    return found.map(({ item, active }) => `${item.id}${active ? '*' : ''}`)
  }
  const order = async (verb: string, choice: ChoiceText, dryRun = false): Promise<string[]> => {
    const deeds = await collected(desk.carryOut(parseOrder({ verb, choice, dryRun })))
    return deeds.map(({ id, outcome, recipients }) => [id, outcome, ...recipients].join(' '))
  }
  /** Puts three messages and waits until each was tried. */
  const fill = async (): Promise<void> => {
    await runner.start()
    await stage.put(mail([ANN, BEN], { id: 'M1' }))
    await stage.put(mail([BEN], { id: 'M2', from: { local: 'Joe', domain: 'near.example' } }))
    await stage.put(mail([ANN], { id: 'M3', from: null }))
    await expect
      .poll(
        async () => (await waiting(spool)).filter((each) => each.includes(' 1 4.2.0')),
        PATIENCE,
      )
      .toHaveLength(4)
  }
  return { ...stage, desk, clock, list, order, fill }
}

describe('the list at the desk', () => {
  test('shows what fits', async () => {
    const { fill, list, clock } = await deskStage()
    await fill()
    expect(await list()).toEqual(['M1', 'M2', 'M3'])
    expect(await list({ to: 'ann@FAR.example' })).toEqual(['M1', 'M3'])
    expect(await list({ domain: 'other.example' })).toEqual(['M1', 'M2'])
    expect(await list({ domain: '.example' })).toEqual(['M1', 'M2', 'M3'])
    expect(await list({ from: 'joe@near.example' })).toEqual(['M2'])
    expect(await list({ from: '<>' })).toEqual(['M3'])
    expect(await list({ ids: ['M3', 'M1', 'M9'] })).toEqual(['M3', 'M1'])
    expect(await list({ ids: ['M3', 'M2'], from: '<>' })).toEqual(['M3'])
    expect(await list({ state: 'held' })).toEqual([])
    expect(await list({ olderThanMs: HOUR })).toEqual([])
    clock.ahead = 2 * HOUR
    expect(await list({ olderThanMs: HOUR, state: 'waiting' })).toEqual(['M1', 'M2', 'M3'])
  })

  test('finds the address that an alias made of a recipient', async () => {
    const { put, list, desk } = await deskStage()
    await put(mail(['friends'], { id: 'A1' }))
    expect(await list({ to: ANN })).toEqual(['A1'])
    expect(await list({ domain: 'far.example' })).toEqual(['A1'])
    const ways = await collected(desk.route(parseChoice({})))
    expect(ways).toEqual([{ id: 'A1', to: 'friends@example.com', place: ANN, lane: 'far.example' }])
  })

  test('gives the content of a message, its header alone, or says that there is none', async () => {
    const { put, desk } = await deskStage()
    await put(mail([ANN], { id: 'C1' }))
    const read = async (id: string, part: 'header' | 'whole'): Promise<string | null> => {
      const bytes = await desk.content(id, part)
      return bytes === null ? null : Buffer.concat(await collected(bytes)).toString()
    }
    expect(await read('C1', 'whole')).toBe(BODY)
    expect(await read('C1', 'header')).toBe('Subject: x\n')
    expect([await read('C2', 'header'), await desk.show('C2')]).toEqual([null, null])
    expect((await desk.show('C1'))?.item.id).toBe('C1')
  })
})

describe('an order at the desk', () => {
  test('flush tries at once what would wait for an hour', async () => {
    const { fill, order, relay, spool } = await deskStage()
    await fill()
    relay.answers.clear()
    expect(await order('flush', { domain: 'other.example' })).toEqual([
      `M1 done ${BEN}`,
      `M2 done ${BEN}`,
    ])
    await expect.poll(() => spool.ids(), PATIENCE).toEqual(['M1', 'M3'])
    expect(await waiting(spool)).toContain(`${BEN} remote relayed 2 4.2.0`)
    expect(await order('flush', {})).toEqual([`M1 done ${ANN}`, `M3 done ${ANN}`])
    await emptied(spool)
  })

  test('hold keeps a message even from a flush, and release lets it go', async () => {
    const { fill, order, relay, list, spool } = await deskStage()
    await fill()
    expect(await order('hold', { ids: ['M2'] })).toEqual([`M2 done ${BEN}`])
    expect(await order('hold', { ids: ['M2'] })).toEqual(['M2 nothing'])
    relay.answers.clear()
    await order('flush', {})
    await expect.poll(() => spool.ids(), PATIENCE).toEqual(['M2'])
    expect(await list({ state: 'held' })).toEqual(['M2'])
    expect(await order('release', { state: 'held' })).toEqual([`M2 done ${BEN}`])
    await order('flush', {})
    await emptied(spool)
  })

  test('drop takes out the recipients that are meant, and tells nobody', async () => {
    const { fill, order, spool, reports, log } = await deskStage()
    await fill()
    expect(await order('drop', { to: BEN })).toEqual([`M1 done ${BEN}`, `M2 done ${BEN}`])
    expect(await waiting(spool)).toEqual([
      `${ANN} remote waiting 1 4.2.0`,
      `${BEN} remote dropped 1 4.2.0`,
      `${ANN} remote waiting 1 4.2.0`,
    ])
    expect(await order('drop', { all: true })).toEqual([`M1 done ${ANN}`, `M3 done ${ANN}`])
    expect([spool.ids(), reports]).toEqual([[], []])
    expect(log.of('queue removed').map(({ id }) => id)).toEqual(['M2', 'M1', 'M3'])
  })

  test('bounce tells the sender who bounced it', async () => {
    const { fill, order, spool, reports } = await deskStage()
    await fill()
    expect(await order('bounce', { ids: ['M1'], to: ANN })).toEqual([`M1 done ${ANN}`])
    await expect.poll(() => reports.length, PATIENCE).toBe(1)
    expect(reports[0]).toMatchObject({ about: 'M1', to: { local: 'joe', domain: 'far.example' } })
    expect(reports[0]?.recipients).toMatchObject([
      { action: 'failed', status: '5.0.0', diagnostic: '550 5.0.0 bounced by the administrator' },
    ])
    expect(await waiting(spool)).toContain(`${BEN} remote waiting 1 4.2.0`)
  })

  test('leaves what is being delivered as it is, and says so', async () => {
    const { put, runner, relay, order, list, spool } = await deskStage()
    let go = (): void => {}
    relay.holds.set('far.example', new Promise((resolve) => (go = resolve)))
    await runner.start()
    await put(mail([ANN], { id: 'L1' }))
    await expect.poll(() => list(), PATIENCE).toEqual(['L1*'])
    expect(await list({ state: 'active' })).toEqual(['L1*'])
    expect(await order('drop', { all: true })).toEqual(['L1 busy'])
    expect(await order('drop', { to: BEN })).toEqual([])
    go()
    await expect.poll(() => list(), PATIENCE).toEqual(['L1'])
    expect(await order('drop', { all: true })).toEqual([`L1 done ${ANN}`])
    expect(spool.ids()).toEqual([])
  })

  test('changes nothing in a dry run', async () => {
    const { fill, order, spool } = await deskStage()
    await fill()
    const before = await waiting(spool)
    expect(await order('bounce', { to: ANN }, true)).toEqual([`M1 done ${ANN}`, `M3 done ${ANN}`])
    expect(await waiting(spool)).toEqual(before)
  })

  test('says of a message that was named that there is none', async () => {
    const { order } = await deskStage()
    expect(await order('release', { ids: ['NONE'] })).toEqual(['NONE unknown'])
    expect(await order('release', { all: true })).toEqual([])
  })
})

/** What ends at any place. */
const inPieces = (bytes: Buffer, cuts: readonly number[]): Message => ({
  ...fromBuffer(bytes),
  open: () => {
    const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length]
    const sorted = places.toSorted((a, b) => a - b)
    return sorted.slice(1).map((end, at) => bytes.subarray(sorted[at], end))
  },
})

test('the header ends at the first empty line, wherever the pieces of a message end', async () => {
  const text = fc.string({ unit: fc.constantFrom('\n', 'a', ':') })
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(), { maxLength: 5 }), async (content, cuts) => {
      const pieces = await collected(headerOf(inPieces(Buffer.from(content), cuts)))
      const end = `\n${content}`.indexOf('\n\n')
      expect(Buffer.concat(pieces).toString()).toBe(end === -1 ? content : content.slice(0, end))
    }),
  )
})
