/**
 * The spool on a disk: a message is a body file and an envelope file (envelope-file.ts), written
 * as drafts, synced, renamed, and the directory synced. What is broken goes to `corrupt/` and the
 * rest runs. One process has it. In memory are a few numbers for each message (ledger.ts); the
 * envelope is read again when it is its turn.
 */
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import { type Census, censusOf } from './census.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import type { Slot } from './lane-index.js'
import type { Entry, Loan } from './entry.js'
import { Ledger } from './ledger.js'
import { Loader } from './loader.js'
import { type SpoolClock, systemClock } from './spool-clock.js'
import { SpoolFiles } from './spool-files.js'
import { Shards } from './shards.js'
import { type Found, look } from './spool-start.js'
import { EntryReader } from './entry-reader.js'
import type { Leftover, Leftovers } from './leftovers.js'
import type { Job, Room, Settled, Spool } from './spool.js'
import { Turns } from './turns.js'
import { isDone, type LaneOf, withChanges } from './ways.js'

/** Milliseconds until a file that cannot be read is tried again. */
const AGAIN_MS = 60_000
/** How often a claim looks for something that is really due where its index says so. */
const MAX_ROUNDS = 100

export interface DiskSpoolOptions {
  /** Must not throw; asked again after `relane`. */
  readonly laneOf: LaneOf
  /** The longest time between two tries, milliseconds: who is to be tried later than that is tried now. */
  readonly maxRetryMs: number
  readonly log: Log
  /** The system's unless a test brings its own. */
  readonly clock?: SpoolClock
}

export class DiskSpool implements Spool {
  readonly #files: SpoolFiles
  readonly #ledger: Ledger
  readonly #reader: EntryReader
  readonly #turns = new Turns()
  readonly #loader: Loader<Entry>
  readonly #adding = new Map<string, Promise<void>>()
  readonly #leftovers: Leftovers
  readonly #options: DiskSpoolOptions
  #closed = false

  private constructor(files: SpoolFiles, ledger: Ledger, found: Found, options: DiskSpoolOptions) {
    this.#files = files
    this.#ledger = ledger
    this.#options = options
    this.#reader = new EntryReader(files, ledger, options.log)
    this.#loader = new Loader((entry) => this.#turns.run(entry.id, () => this.#reader.look(entry)))
    this.#loader.begin(found.entries, true)
    this.#leftovers = found.leftovers
    this.#leftovers.clearLater((one) => this.#inUse(one))
  }

  /**
   * Reads the names of all that waits, no more: the messages themselves are looked at by and by.
   * @param directory made if it is not there; its parent must be
   * @throws what the disk says
   */
  static async open(directory: string, options: DiskSpoolOptions): Promise<DiskSpool> {
    const ledger = new Ledger({ ...options, clock: options.clock ?? systemClock })
    const files = new SpoolFiles(new Shards(directory))
    return new DiskSpool(files, ledger, await look(files, ledger, options.log), options)
  }

  /** From now on another process may have it: a worker that is late has lost its loan. */
  close(): void {
    this.#closed = true
    this.#loader.stop()
    this.#leftovers.stop()
  }

  async add(item: QueueItem, message: Message): Promise<void> {
    const { id } = item
    if (this.#closed) throw new Error('the spool is closed')
    if (this.#ledger.get(id) !== null || isDone(item)) return
    const before = this.#adding.get(id)
    if (before !== undefined) return before
    const adding = this.#turns.run(id, () => this.#add(item, message))
    this.#adding.set(id, adding)
    try {
      await adding
    } finally {
      this.#adding.delete(id)
    }
  }

  async claim(max: number, leaseMs: number, room: Room): Promise<readonly Job[]> {
    this.#ledger.expire()
    let looked = false
    const used = new Map<string, number>()
    const jobs: Job[] = []
    for (let round = 0; round < MAX_ROUNDS && jobs.length < max; round++) {
      const slots = this.#ledger.take(max - jobs.length, room, used)
      jobs.push(...(await this.#lendAll(slots, leaseMs, used)))
      if (slots.length > 0) continue
      if (jobs.length > 0 || looked || !this.#loader.urgent) break
      looked = true
      await this.#loader.some()
    }
    return jobs
  }

  async renew(job: Job, leaseMs: number): Promise<boolean> {
    const loan = this.#ledger.loanOf(job)
    if (loan !== null) this.#ledger.renew(loan, leaseMs)
    return loan !== null
  }

  settle(job: Job, changes: ReadonlyMap<number, QueuedRecipient>): Promise<Settled | null> {
    return this.#turns.run(job.item.id, async () => {
      const loan = this.#ledger.loanOf(job)
      return loan === null || this.#closed ? null : this.#settle(loan, changes)
    })
  }

  change(id: string, by: (item: QueueItem) => QueueItem | null): Promise<boolean> {
    return this.#turns.run(id, async () => {
      this.#ledger.expire()
      const entry = this.#ledger.get(id)
      if (this.#closed || entry === null || entry.loans.length > 0) return false
      const before = await this.#reader.read(entry)
      if (before === null) return false
      const aged = this.#ledger.aged(entry, before)
      const item = by(aged)
      if (item !== aged) await this.#write(entry, item)
      return true
    })
  }

  read(id: string): Promise<QueueItem | null> {
    return this.#turns.run(id, async () => {
      const entry = this.#ledger.get(id)
      const item = entry === null ? null : await this.#reader.read(entry)
      return item === null || entry === null ? null : this.#ledger.aged(entry, item)
    })
  }

  async message(item: QueueItem): Promise<Message> {
    const entry = this.#ledger.get(item.id)
    if (entry === null) throw new Error(`no message ${item.id} waits`)
    return this.#files.message(entry.shard, item)
  }

  ids(): readonly string[] {
    const entries = [...this.#ledger.all()].filter(({ state }) => state !== 'newer')
    return entries.toSorted((a, b) => a.received - b.received).map(({ id }) => id)
  }

  /** How many wait, for what and how long. */
  census(): Census {
    const clock = this.#options.clock ?? systemClock
    return censusOf(this.#ledger.all(), clock.now())
  }

  untold(): readonly string[] {
    return this.#ledger.untold()
  }

  nextDue(room: Room): number | null {
    if (!this.#loader.urgent) return this.#ledger.nextDue(room)
    // Something of which nothing is known yet may be due.
    return (this.#options.clock ?? systemClock).now()
  }

  relane(): void {
    // What is known of them stands until they have been looked at: a claim asks anew anyway.
    this.#loader.begin([...this.#ledger.all()], false)
  }

  async #add(item: QueueItem, message: Message): Promise<void> {
    const shard = this.#files.shards.next()
    await this.#files.add(shard, item, message)
    const entry = this.#ledger.enter(item.id, shard)
    this.#ledger.learn(entry, item)
    this.#ledger.keep(entry, item)
  }

  /** What turns out not to be due gives the room back that it took. */
  async #lendAll(
    slots: readonly Slot<Entry>[],
    leaseMs: number,
    used: Map<string, number>,
  ): Promise<Job[]> {
    const jobs = await Promise.all(slots.map((slot) => this.#lend(slot, leaseMs)))
    for (const [at, { lane }] of slots.entries()) {
      if (jobs[at] === null) used.set(lane.name, (used.get(lane.name) ?? 1) - 1)
    }
    return jobs.filter((job) => job !== null)
  }

  #lend(slot: Slot<Entry>, leaseMs: number): Promise<Job | null> {
    const { owner: entry } = slot
    return this.#turns.run(entry.id, async () => {
      if (this.#ledger.get(entry.id) !== entry) return null
      try {
        const item = await this.#reader.read(entry)
        return item === null ? null : this.#ledger.lend(slot, item, leaseMs)
      } catch (error) {
        this.#options.log.error('queue cannot read', { id: entry.id, reason: reason(error) })
        this.#ledger.postpone(slot, AGAIN_MS)
        return null
      }
    })
  }

  async #settle(loan: Loan, changes: ReadonlyMap<number, QueuedRecipient>): Promise<Settled> {
    const { entry, recipients } = loan
    const was = entry.item!
    const item = withChanges(this.#ledger.aged(entry, was), recipients, changes)
    this.#ledger.hold(loan)
    try {
      if (changes.size > 0) await this.#write(entry, item)
    } catch (error) {
      // The loan goes on: the worker may try again, and when it ends others may.
      this.#ledger.unhold(loan)
      throw error
    }
    this.#ledger.end(loan)
    const othersLent = entry.loans.length > 0
    if (this.#ledger.get(entry.id) === entry)
      this.#ledger.learn(entry, changes.size > 0 ? item : was)
    this.#ledger.rest(entry)
    return { item, othersLent }
  }

  /** `null` or nothing left to do = its files are removed. */
  async #write(entry: Entry, item: QueueItem | null): Promise<void> {
    if (item === null || isDone(item)) {
      await this.#files.remove(entry.shard, entry.id)
      this.#ledger.forget(entry)
      return
    }
    await this.#files.rewrite(entry.shard, item)
    this.#ledger.written(entry, item)
  }

  #inUse({ id, shard, draft }: Leftover): boolean {
    return this.#adding.has(id) || (!draft && this.#ledger.get(id)?.shard === shard)
  }
}
