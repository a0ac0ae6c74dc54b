/** A spool in memory, lost with the process: for tests and for use as a library, and the reference for those that last. */
import { fromBuffer, type Message } from '../mail/message.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import { type SpoolClock, systemClock } from './spool-clock.js'
import type { Job, Room, Settled, Spool } from './spool.js'
import { dueOf, isDone, isUntold, type LaneOf, type Way, waysOf, withChanges } from './ways.js'

interface Loan {
  readonly token: number
  readonly recipients: readonly number[]
  until: number
}

interface Kept {
  item: QueueItem
  readonly message: Message
  /** When `waitedMs` was true, on the clock that only goes forward. */
  since: number
  loans: readonly Loan[]
}

export interface MemorySpoolOptions {
  /** Must not throw. */
  readonly laneOf: LaneOf
  /** The longest time between two tries, milliseconds: who is to be tried later than that is tried now. */
  readonly maxRetryMs: number
  /** The system's unless a test brings its own. */
  readonly clock?: SpoolClock
}

export class MemorySpool implements Spool {
  readonly #all = new Map<string, Kept>()
  readonly #options: MemorySpoolOptions
  readonly #clock: SpoolClock
  #lastToken = 0

  constructor(options: MemorySpoolOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  async add(item: QueueItem, message: Message): Promise<void> {
    if (this.#all.has(item.id) || isDone(item)) return
    const pieces: Buffer[] = []
    for await (const piece of message.open()) pieces.push(Buffer.from(piece))
    const content = Buffer.concat(pieces)
    if (content.length !== item.size) throw new Error('the message is not as long as its item')
    if (this.#all.has(item.id)) return
    const since = this.#clock.steady()
    this.#all.set(item.id, { item, message: fromBuffer(content, item.lines), since, loans: [] })
  }

  async claim(max: number, leaseMs: number, room: Room): Promise<readonly Job[]> {
    this.#expire()
    const jobs: Job[] = []
    const used = new Map<string, number>()
    const due = this.#waiting().filter(({ way }) => way.due <= this.#clock.now())
    for (const { kept, way } of due.toSorted((a, b) => a.way.due - b.way.due)) {
      const before = used.get(way.lane) ?? 0
      if (jobs.length >= max || before >= room(way.lane)) continue
      used.set(way.lane, before + 1)
      jobs.push(this.#lend(kept, way, leaseMs))
    }
    return jobs
  }

  async renew(job: Job, leaseMs: number): Promise<boolean> {
    const loan = this.#loanOf(job)
    if (loan !== null) loan.until = this.#clock.steady() + leaseMs
    return loan !== null
  }

  async settle(job: Job, changes: ReadonlyMap<number, QueuedRecipient>): Promise<Settled | null> {
    const loan = this.#loanOf(job)
    const kept = this.#all.get(job.item.id)
    if (loan === null || kept === undefined) return null
    const item = withChanges(this.#aged(kept), loan.recipients, changes)
    kept.loans = kept.loans.filter((each) => each !== loan)
    this.#write(kept, item)
    return { item, othersLent: kept.loans.length > 0 }
  }

  async change(id: string, by: (item: QueueItem) => QueueItem | null): Promise<boolean> {
    this.#expire()
    const kept = this.#all.get(id)
    if (kept === undefined || kept.loans.length > 0) return false
    const item = by(this.#aged(kept))
    if (item === null) this.#all.delete(id)
    else this.#write(kept, item)
    return true
  }

  async read(id: string): Promise<QueueItem | null> {
    const kept = this.#all.get(id)
    return kept === undefined ? null : this.#aged(kept)
  }

  async message({ id }: QueueItem): Promise<Message> {
    const kept = this.#all.get(id)
    if (kept === undefined) throw new Error(`no message ${id} waits`)
    return kept.message
  }

  ids(): readonly string[] {
    const all = [...this.#all.values()].map(({ item }) => item)
    return all.toSorted((a, b) => a.received - b.received).map(({ id }) => id)
  }

  untold(): readonly string[] {
    const all = [...this.#all.values()].filter(
      ({ item, loans }) => loans.length === 0 && isUntold(item),
    )
    return all.map(({ item }) => item.id)
  }

  nextDue(room: Room): number | null {
    const waiting = this.#waiting().filter(({ way }) => room(way.lane) > 0)
    const ends = [...this.#all.values()].flatMap(({ loans }) => loans.map(({ until }) => until))
    const lent = ends.map((until) => this.#clock.now() + until - this.#clock.steady())
    const moments = [...waiting.map(({ way }) => way.due), ...lent]
    return moments.length === 0 ? null : Math.min(...moments)
  }

  relane(): void {
    // Every claim asks anew.
  }

  #waiting(): { kept: Kept; way: Way }[] {
    const horizon = { now: this.#clock.now(), maxRetryMs: this.#options.maxRetryMs }
    return [...this.#all.values()].flatMap((kept) => {
      const lent = new Set(kept.loans.flatMap(({ recipients }) => recipients))
      const ways = waysOf(kept.item, lent, this.#options.laneOf, horizon)
      return [...ways.values()].map((way) => ({ kept, way }))
    })
  }

  #lend(kept: Kept, way: Way, leaseMs: number): Job {
    const recipients = dueOf(way, this.#clock.now() - way.due)
    const token = ++this.#lastToken
    const until = this.#clock.steady() + leaseMs
    kept.loans = [...kept.loans, { token, recipients, until }]
    return { item: this.#aged(kept), recipients, lane: way.lane, token }
  }

  #expire(): void {
    const now = this.#clock.steady()
    for (const kept of this.#all.values()) {
      kept.loans = kept.loans.filter(({ until }) => until > now)
    }
  }

  #loanOf({ item, token }: Job): Loan | null {
    return this.#all.get(item.id)?.loans.find((loan) => loan.token === token) ?? null
  }

  #aged({ item, since }: Kept): QueueItem {
    return { ...item, waitedMs: item.waitedMs + this.#clock.steady() - since }
  }

  #write(kept: Kept, item: QueueItem): void {
    kept.item = item
    kept.since = this.#clock.steady()
    if (isDone(item)) this.#all.delete(item.id)
  }
}
