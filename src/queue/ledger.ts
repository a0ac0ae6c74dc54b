/**
 * What a spool on a disk keeps in memory: a few numbers for each message, where its recipients
 * stand in the lanes, and what is lent. Moments are on the clock that only goes forward: once a
 * message was looked at, a system clock that jumps moves nothing.
 */
import { DueHeap } from './due-heap.js'
import type { Entry, Loan } from './entry.js'
import type { QueueItem } from './item.js'
import { LaneIndex, type Slot } from './lane-index.js'
import type { SpoolClock } from './spool-clock.js'
import type { Job, Room } from './spool.js'
import { dueOf, isUntold, type LaneOf, type Way, waysOf } from './ways.js'

export interface LedgerOptions {
  readonly laneOf: LaneOf
  /** The longest time between two tries, milliseconds. */
  readonly maxRetryMs: number
  readonly clock: SpoolClock
}

const NO_LOANS: readonly Loan[] = []
/** Messages that just came are likely to be tried at once: so many are not read again for that. */
const MAX_KEPT = 1_000
/** Recipients of such a message at most. */
const MAX_KEPT_RECIPIENTS = 10

export class Ledger {
  readonly #entries = new Map<string, Entry>()
  readonly #lanes = new LaneIndex<Entry>()
  readonly #loans = new DueHeap<Loan>()
  readonly #untold = new Set<string>()
  readonly #kept = new Set<Entry>()
  readonly #options: LedgerOptions
  #lastToken = 0

  constructor(options: LedgerOptions) {
    this.#options = options
  }

  get(id: string): Entry | null {
    return this.#entries.get(id) ?? null
  }

  all(): Iterable<Entry> {
    return this.#entries.values()
  }

  /** Messages that nobody is tried for any more, and whose senders are still to be told. */
  untold(): string[] {
    return [...this.#untold]
  }

  enter(id: string, shard: number): Entry {
    const since = this.#options.clock.steady()
    const entry: Entry = {
      id,
      shard,
      received: 0,
      since,
      state: 'unread',
      slot: null,
      item: null,
      loans: NO_LOANS,
    }
    this.#entries.set(id, entry)
    return entry
  }

  /** Its file is gone, or is not touched again. */
  forget(entry: Entry): void {
    for (const loan of entry.loans) this.#loans.remove(loan)
    entry.loans = NO_LOANS
    entry.item = null
    this.#kept.delete(entry)
    this.#untold.delete(entry.id)
    this.#clear(entry)
    if (this.#entries.get(entry.id) === entry) this.#entries.delete(entry.id)
  }

  /** A later version's. */
  leave(entry: Entry): void {
    entry.state = 'newer'
    this.#clear(entry)
  }

  /** Its file says this now. Puts what waits and is not lent into the lanes. */
  learn(entry: Entry, item: QueueItem): void {
    entry.received = item.received
    entry.state = 'known'
    if (entry.item !== null) entry.item = item
    this.#clear(entry)
    const { steady, ways } = this.#ways(entry, item)
    for (const way of ways.values()) {
      const delay = Math.ceil(way.due - this.#options.clock.now())
      entry.slot = this.#lanes.add(way.lane, entry, steady + delay, entry.slot)
    }
    if (entry.loans.length === 0 && isUntold(item)) this.#untold.add(entry.id)
    else this.#untold.delete(entry.id)
  }

  /** It was written in this moment. */
  written(entry: Entry, item: QueueItem): void {
    entry.since = this.#options.clock.steady()
    this.learn(entry, item)
  }

  /** It came in this moment: who wants it soon need not read it. */
  keep(entry: Entry, item: QueueItem): void {
    if (item.recipients.length > MAX_KEPT_RECIPIENTS) return
    entry.item = item
    this.#kept.add(entry)
    if (this.#kept.size > MAX_KEPT) this.#letGo(this.#kept.values().next().value!)
  }

  /** What stood there cannot be read now: it is due again after so many milliseconds. */
  postpone(late: Slot<Entry>, delayMs: number): void {
    const { owner: entry } = late
    const stay: Slot<Entry>[] = []
    for (let { slot } = entry; slot !== null; slot = slot.other)
      if (slot.place !== -1) stay.push(slot)
    this.#clear(entry)
    const due = this.#options.clock.steady() + delayMs
    entry.slot = this.#lanes.add(late.lane.name, entry, due, null)
    for (const { lane, due: then } of stay) {
      entry.slot = this.#lanes.add(lane.name, entry, then, entry.slot)
    }
  }

  /** What `waitedMs` is by now. */
  aged(entry: Entry, item: QueueItem): QueueItem {
    const waitedMs = item.waitedMs + this.#options.clock.steady() - entry.since
    return { ...item, waitedMs }
  }

  take(max: number, room: Room, used: Map<string, number>): Slot<Entry>[] {
    return this.#lanes.take(this.#options.clock.steady(), max, room, used)
  }

  /** @returns `null` = nothing of it is due in that lane after all; it stands where it belongs now */
  lend(slot: Slot<Entry>, item: QueueItem, leaseMs: number): Job | null {
    const { owner: entry, lane } = slot
    const { steady, ways } = this.#ways(entry, item)
    const way = ways.get(lane.name)
    const recipients = way === undefined ? [] : this.#due(slot, way, steady)
    if (recipients.length > 0) this.#loan(entry, item, recipients, steady + leaseMs)
    this.learn(entry, item)
    if (recipients.length === 0) return null
    return { item: this.aged(entry, item), recipients, lane: lane.name, token: this.#lastToken }
  }

  loanOf({ item, token }: Job): Loan | null {
    return this.get(item.id)?.loans.find((loan) => loan.token === token) ?? null
  }

  renew(loan: Loan, leaseMs: number): void {
    loan.due = this.#options.clock.steady() + leaseMs
    if (loan.place !== -1) this.#loans.moved(loan)
  }

  /** While it is being settled a loan does not run out. */
  hold(loan: Loan): void {
    this.#loans.remove(loan)
  }

  /** It was not settled. */
  unhold(loan: Loan): void {
    if (loan.entry.loans.includes(loan)) this.#loans.add(loan)
  }

  /** Whoever changes recipients learns the message anew afterwards. */
  end(loan: Loan): void {
    const { entry } = loan
    this.#loans.remove(loan)
    entry.loans = entry.loans.filter((each) => each !== loan)
  }

  /** No longer in memory than somebody has it. */
  rest(entry: Entry): void {
    if (entry.loans.length === 0 && !this.#kept.has(entry)) entry.item = null
  }

  /** Ends the loans that ran out. */
  expire(): void {
    const now = this.#options.clock.steady()
    for (let loan = this.#loans.first; loan !== null && loan.due <= now; loan = this.#loans.first) {
      const { entry } = loan
      this.end(loan)
      if (entry.item !== null) this.learn(entry, entry.item)
      this.rest(entry)
    }
  }

  /** Milliseconds since 1970; `null` = nothing waits. */
  nextDue(room: Room): number | null {
    const { clock } = this.#options
    const waiting = this.#lanes.nextDue(room)
    const lent = this.#loans.first?.due ?? null
    const due = waiting === null || (lent !== null && lent < waiting) ? lent : waiting
    return due === null ? null : clock.now() + due - clock.steady()
  }

  #ways(entry: Entry, item: QueueItem): { steady: number; ways: Map<string, Way> } {
    const { clock, laneOf, maxRetryMs } = this.#options
    const lent = new Set(entry.loans.flatMap(({ recipients }) => recipients))
    const ways = waysOf(item, lent, laneOf, { now: clock.now(), maxRetryMs })
    return { steady: clock.steady(), ways }
  }

  #due(slot: Slot<Entry>, way: Way, steady: number): number[] {
    return steady < slot.due ? [] : dueOf(way, steady - slot.due)
  }

  #loan(entry: Entry, item: QueueItem, recipients: readonly number[], due: number): void {
    const loan: Loan = { entry, token: ++this.#lastToken, recipients, due, place: -1 }
    entry.item = item
    entry.loans = [...entry.loans, loan]
    this.#kept.delete(entry)
    this.#loans.add(loan)
  }

  #letGo(entry: Entry): void {
    this.#kept.delete(entry)
    this.rest(entry)
  }

  #clear(entry: Entry): void {
    for (let { slot } = entry; slot !== null; slot = slot.other) this.#lanes.remove(slot)
    entry.slot = null
  }
}
