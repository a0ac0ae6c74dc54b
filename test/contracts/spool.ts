/** What every implementation of Spool must do. */
import { describe, expect, test } from 'vitest'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import type { QueuedRecipient, QueueItem } from '../../src/queue/item.js'
import type { Job, Room, Spool } from '../../src/queue/spool.js'
import type { SpoolClock } from '../../src/queue/spool-clock.js'
import type { LaneOf } from '../../src/queue/ways.js'

const HOUR = 60 * 60_000
export const MAX_RETRY_MS = 4 * HOUR
export const LEASE_MS = 60_000
const BEGIN = Date.UTC(2026, 0, 1)
export const roomy: Room = () => 100

/** A clock that stands still until it is told otherwise. */
export class SetClock implements SpoolClock {
  #now = BEGIN
  #steady = 1_000

  now = (): number => this.#now
  steady = (): number => this.#steady

  pass(ms: number): void {
    this.#now += ms
    this.#steady += ms
  }

  /** Somebody sets what people call the time. */
  jump(ms: number): void {
    this.#now += ms
  }
}

export interface SpoolSettings {
  readonly clock: SpoolClock
  readonly laneOf: LaneOf
  readonly maxRetryMs: number
}

export function waiting(to: string, more: Partial<QueuedRecipient> = {}): QueuedRecipient {
  const [local = '', domain = ''] = to.split('@')
  const address = { local, domain }
  const sender = { local: 'ann', domain: 'example.com' }
  return {
    to: address,
    target: { kind: 'remote', address, of: sender },
    notice: null,
    state: 'waiting',
    attempts: 0,
    next: BEGIN,
    trouble: null,
    delayReported: false,
    reported: false,
    ...more,
  }
}

export const ended = (recipient: QueuedRecipient): QueuedRecipient => ({
  ...recipient,
  state: 'relayed',
  reported: true,
})

export function itemWith(id: string, more: Partial<QueueItem> = {}): QueueItem {
  return {
    id,
    received: BEGIN,
    waitedMs: 0,
    from: { local: 'ann', domain: 'example.com' },
    client: { address: '192.0.2.1', helo: 'pc', secure: true, user: 'ann@example.com' },
    smtputf8: false,
    eightBit: true,
    requireTls: false,
    reports: null,
    size: bodyOf(id).size,
    lines: bodyOf(id).lines,
    held: false,
    recipients: [waiting('bob@example.org')],
    ...more,
  }
}

export const bodyOf = (id: string): Message => fromBuffer(Buffer.from(`Subject: ${id}\n\n${id}\n`))
export const byDomain: LaneOf = (_item, { to }) => to.domain
export const idsOf = (jobs: readonly Job[]): string[] => jobs.map(({ item }) => item.id)

export async function textOf(message: Message): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of message.open()) pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

/** All recipients of a job. */
export function changes(
  { item, recipients }: Job,
  by: (recipient: QueuedRecipient) => QueuedRecipient,
): Map<number, QueuedRecipient> {
  return new Map(recipients.map((at) => [at, by(item.recipients[at]!)]))
}

/** Runs the suite against fresh spools from `make`. */
export function spoolContract(
  name: string,
  make: (settings: SpoolSettings) => Promise<Spool>,
): void {
  const begin = async (laneOf: LaneOf = byDomain): Promise<{ spool: Spool; clock: SetClock }> => {
    const clock = new SetClock()
    return { spool: await make({ clock, laneOf, maxRetryMs: MAX_RETRY_MS }), clock }
  }
  const put = (spool: Spool, ...items: readonly QueueItem[]): Promise<unknown> =>
    Promise.all(items.map((item) => spool.add(item, bodyOf(item.id))))

  describe(`${name} as Spool`, () => {
    test('an empty one lends nothing and knows of nothing', async () => {
      const { spool } = await begin()
      expect(await spool.claim(10, LEASE_MS, roomy)).toEqual([])
      expect([spool.ids(), spool.untold(), spool.nextDue(roomy)]).toEqual([[], [], null])
      expect(await spool.read('A')).toBe(null)
      expect(await spool.change('A', (item) => item)).toBe(false)
      await expect(spool.message(itemWith('A'))).rejects.toThrow()
    })

    test('what was added comes out as it was, with its content', async () => {
      const { spool } = await begin()
      const item = itemWith('A', {
        recipients: [waiting('bob@example.org'), waiting('al@b.example')],
      })
      await put(spool, item)
      expect(await spool.read('A')).toEqual(item)
      const jobs = await spool.claim(10, LEASE_MS, roomy)
      expect(new Map(jobs.map(({ lane, recipients }) => [lane, recipients]))).toEqual(
        new Map([
          ['b.example', [1]],
          ['example.org', [0]],
        ]),
      )
      expect(jobs[0]!.item).toEqual(item)
      expect(new Set(jobs.map(({ token }) => token)).size).toBe(2)
      expect(await textOf(await spool.message(item))).toBe('Subject: A\n\nA\n')
    })

    test('recipients of one lane are one job, and what is lent is not lent again', async () => {
      const { spool } = await begin()
      const recipients = ['a', 'b', 'c'].map((local) => waiting(`${local}@example.org`))
      await put(spool, itemWith('A', { recipients }))
      const [job, ...others] = await spool.claim(10, LEASE_MS, roomy)
      expect(job?.recipients).toEqual([0, 1, 2])
      expect([...others, ...(await spool.claim(10, LEASE_MS, roomy))]).toEqual([])
    })

    test('an id that is there already changes nothing, also while it is being added', async () => {
      const { spool } = await begin()
      const other = itemWith('A', { held: true })
      await put(spool, itemWith('A'), other)
      await put(spool, other)
      expect(await spool.read('A')).toEqual(itemWith('A'))
      expect(await spool.claim(10, LEASE_MS, roomy)).toHaveLength(1)
    })

    test('the longest due goes first, and what is not due does not go', async () => {
      const { spool, clock } = await begin()
      const at = (id: string, ms: number): QueueItem =>
        itemWith(id, {
          recipients: [waiting(`x@${id.toLowerCase()}.example`, { next: BEGIN + ms })],
        })
      await put(spool, at('A', -1), at('B', -3), at('C', 5_000), at('D', -2))
      expect(idsOf(await spool.claim(2, LEASE_MS, roomy))).toEqual(['B', 'D'])
      expect(idsOf(await spool.claim(10, LEASE_MS, roomy))).toEqual(['A'])
      expect(spool.nextDue(roomy)).toBe(BEGIN + 5_000)
      clock.pass(5_000)
      expect(idsOf(await spool.claim(10, LEASE_MS, roomy))).toEqual(['C'])
    })

    test('of recipients in one lane only those that are due go, the others in their time', async () => {
      const { spool, clock } = await begin()
      const later = { next: BEGIN + HOUR }
      const recipients = [waiting('a@example.org', later), waiting('b@example.org')]
      await put(spool, itemWith('A', { recipients }))
      const [first] = await spool.claim(10, LEASE_MS, roomy)
      expect(first?.recipients).toEqual([1])
      await spool.settle(first!, changes(first!, ended))
      expect(spool.nextDue(roomy)).toBe(BEGIN + HOUR)
      clock.pass(HOUR)
      const [second] = await spool.claim(10, LEASE_MS, roomy)
      expect(second?.recipients).toEqual([0])
    })

    test('a full lane does not hold up the others', async () => {
      const { spool } = await begin()
      const slow = Array.from({ length: 20 }, (_, n) => itemWith(`S${n}`))
      const quick = itemWith('Q', { recipients: [waiting('x@quick.example', { next: BEGIN - 1 })] })
      await put(spool, ...slow, quick)
      const room: Room = (lane) => (lane === 'example.org' ? 2 : 1)
      const jobs = await spool.claim(10, LEASE_MS, room)
      expect(jobs.map(({ lane }) => lane).toSorted()).toEqual([
        'example.org',
        'example.org',
        'quick.example',
      ])
      expect(await spool.claim(10, LEASE_MS, () => 0)).toEqual([])
      // Nothing but the loans themselves: they end some time.
      expect(spool.nextDue(() => 0)).toBe(BEGIN + LEASE_MS)
      expect(spool.nextDue(roomy)).toBe(BEGIN)
    })

    test('what was settled for good is gone, and what waits on comes again in its time', async () => {
      const { spool, clock } = await begin()
      await put(spool, itemWith('A'), itemWith('B'))
      const jobs = await spool.claim(10, LEASE_MS, roomy)
      for (const job of jobs) {
        const done = job.item.id === 'A'
        const settled = await spool.settle(
          job,
          changes(job, (to) => (done ? ended(to) : { ...to, attempts: 1, next: BEGIN + HOUR })),
        )
        expect(settled).toMatchObject({ othersLent: false, item: { id: job.item.id } })
        expect(await spool.settle(job, new Map())).toBe(null)
      }
      expect(spool.ids()).toEqual(['B'])
      expect(await spool.read('A')).toBe(null)
      expect(await spool.claim(10, LEASE_MS, roomy)).toEqual([])
      clock.pass(HOUR)
      const [again] = await spool.claim(10, LEASE_MS, roomy)
      expect(again?.item.recipients[0]).toMatchObject({ attempts: 1, next: BEGIN + HOUR })
    })

    test('two jobs of a message are settled by themselves', async () => {
      const { spool } = await begin()
      const recipients = [waiting('a@a.example'), waiting('b@b.example')]
      await put(spool, itemWith('A', { recipients }))
      const [one, two] = await spool.claim(10, LEASE_MS, roomy)
      const first = spool.settle(one!, changes(one!, ended))
      const second = spool.settle(
        two!,
        changes(two!, (to) => ({ ...to, state: 'failed' })),
      )
      expect(await first).toMatchObject({ othersLent: true })
      expect(await second).toMatchObject({ othersLent: false })
      const { recipients: now } = (await spool.read('A'))!
      expect(new Map(now.map(({ state, reported }) => [state, reported]))).toEqual(
        new Map([
          ['failed', false],
          ['relayed', true],
        ]),
      )
    })

    test('a recipient that is not of the job is not changed', async () => {
      const { spool } = await begin()
      const recipients = [waiting('a@a.example'), waiting('b@b.example')]
      await put(spool, itemWith('A', { recipients }))
      const [job] = await spool.claim(1, LEASE_MS, roomy)
      const other = job!.recipients[0] === 0 ? 1 : 0
      await expect(
        spool.settle(job!, new Map([[other, ended(recipients[other]!)]])),
      ).rejects.toThrow(RangeError)
      expect((await spool.read('A'))?.recipients).toEqual(recipients)
    })

    test('given back without a change it is due at once', async () => {
      const { spool } = await begin()
      await put(spool, itemWith('A'))
      const [job] = await spool.claim(10, LEASE_MS, roomy)
      await spool.settle(job!, new Map())
      expect(idsOf(await spool.claim(10, LEASE_MS, roomy))).toEqual(['A'])
    })

    test('a loan that ran out is lent again, and the old one settles nothing', async () => {
      const { spool, clock } = await begin()
      await put(spool, itemWith('A'))
      const [old] = await spool.claim(10, LEASE_MS, roomy)
      clock.pass(LEASE_MS - 1)
      expect(await spool.renew(old!, LEASE_MS)).toBe(true)
      clock.pass(LEASE_MS - 1)
      expect(await spool.claim(10, LEASE_MS, roomy)).toEqual([])
      clock.pass(1)
      const [next] = await spool.claim(10, LEASE_MS, roomy)
      expect(next?.token).not.toBe(old!.token)
      expect(await spool.renew(old!, LEASE_MS)).toBe(false)
      expect(await spool.settle(old!, changes(old!, ended))).toBe(null)
      expect(await spool.settle(next!, changes(next!, ended))).not.toBe(null)
      expect(spool.ids()).toEqual([])
    })

    test('what is held is not lent until it is released', async () => {
      const { spool } = await begin()
      await put(spool, itemWith('A', { held: true }))
      expect(await spool.claim(10, LEASE_MS, roomy)).toEqual([])
      expect(spool.nextDue(roomy)).toBe(null)
      expect(await spool.change('A', (item) => ({ ...item, held: false }))).toBe(true)
      expect(await spool.claim(10, LEASE_MS, roomy)).toHaveLength(1)
    })

    test('what is lent is not changed; what is not can be taken out', async () => {
      const { spool } = await begin()
      await put(spool, itemWith('A'))
      const [job] = await spool.claim(10, LEASE_MS, roomy)
      expect(await spool.change('A', () => null)).toBe(false)
      await spool.settle(job!, new Map())
      expect(await spool.change('A', () => null)).toBe(true)
      expect([spool.ids(), await spool.read('A')]).toEqual([[], null])
    })

    test('what ended and is not reported is told of, and goes when it is reported', async () => {
      const { spool } = await begin()
      const lost = waiting('b@example.org', { state: 'failed' })
      await put(spool, itemWith('A'), itemWith('R', { recipients: [lost] }))
      expect(spool.untold()).toEqual(['R'])
      const [job] = await spool.claim(10, LEASE_MS, roomy)
      await spool.settle(
        job!,
        changes(job!, (to) => ({ ...to, state: 'expired' })),
      )
      expect(spool.untold().toSorted()).toEqual(['A', 'R'])
      const reported = (item: QueueItem): QueueItem => ({
        ...item,
        recipients: item.recipients.map((to) => ({ ...to, reported: true })),
      })
      for (const id of ['A', 'R']) expect(await spool.change(id, reported)).toBe(true)
      expect([spool.untold(), spool.ids()]).toEqual([[], []])
    })

    test('how long it has waited is counted by a clock that nobody sets', async () => {
      const { spool, clock } = await begin()
      await put(spool, itemWith('A', { waitedMs: 500 }))
      clock.jump(10 * 365 * 24 * HOUR)
      clock.pass(1_000)
      const [job] = await spool.claim(10, LEASE_MS, roomy)
      expect(job?.item.waitedMs).toBe(1_500)
      await spool.settle(
        job!,
        changes(job!, (to) => ({ ...to, attempts: 1 })),
      )
      clock.pass(10)
      expect((await spool.read('A'))?.waitedMs).toBe(1_510)
    })

    test('what is to be tried later than ever anything is tried now', async () => {
      const { spool } = await begin()
      const wrong = waiting('a@example.org', { next: BEGIN + MAX_RETRY_MS + 1 })
      const right = waiting('a@example.org', { next: BEGIN + MAX_RETRY_MS })
      await put(
        spool,
        itemWith('A', { recipients: [wrong] }),
        itemWith('B', { recipients: [right] }),
      )
      expect(idsOf(await spool.claim(10, LEASE_MS, roomy))).toEqual(['A'])
    })

    test('after a reload recipients go the way that they go then', async () => {
      let lane = 'old'
      const { spool, clock } = await begin(() => lane)
      await put(spool, itemWith('A'), itemWith('B'))
      expect(await spool.claim(1, LEASE_MS, roomy)).toMatchObject([{ lane: 'old' }])
      lane = 'new'
      spool.relane()
      clock.pass(1)
      expect(await spool.claim(10, LEASE_MS, roomy)).toMatchObject([{ lane: 'new' }])
    })

    test('all ids come oldest first', async () => {
      const { spool } = await begin()
      await put(
        spool,
        itemWith('B', { received: BEGIN + 2 }),
        itemWith('C', { received: BEGIN + 1 }),
        itemWith('A', { received: BEGIN + 3 }),
      )
      expect(spool.ids()).toEqual(['C', 'B', 'A'])
    })

    test('a message that fails while it is read leaves nothing', async () => {
      const { spool } = await begin()
      const fault = new Error('the source broke')
      async function* breaking(): AsyncGenerator<Buffer, void, void> {
        yield Buffer.from('1')
        throw fault
      }
      const item = itemWith('A', { size: 10, lines: 0 })
      await expect(spool.add(item, { size: 10, lines: 0, open: breaking })).rejects.toBe(fault)
      expect(spool.ids()).toEqual([])
      await put(spool, itemWith('A'))
      expect(spool.ids()).toEqual(['A'])
    })

    test('many at once all wait, and each is lent once', async () => {
      const { spool } = await begin()
      const items = Array.from({ length: 300 }, (_, n) => itemWith(`M${n}`))
      await put(spool, ...items)
      const claims = [1, 2, 3].map(() => spool.claim(100, LEASE_MS, () => 1_000))
      const ids = (await Promise.all(claims)).flat().map(({ item }) => item.id)
      expect(ids.toSorted()).toEqual(items.map(({ id }) => id).toSorted())
    })
  })
}
