/**
 * Reads small messages before they are asked for, many at a time. Clients read
 * in order: the more often one did, the further ahead is read for it.
 */
import type { Entry, Pieces } from './maildir.js'
import { batchMemory } from './memory-pool.js'
import { BETWEEN, type Got, SMALL, type Wanted } from './read-now.js'
import { readers } from './reader-threads.js'

/** Messages, and octets, that are read at a time. */
const MAX_BATCH = 64
const MAX_OCTETS = batchMemory.room
/** Messages too large to be read ahead that are passed over. */
const MAX_SKIPPED = 32
/** Octets that all clients together may have lying ready, or on their way. */
const MAX_READY = 64 * 1024 * 1024
/** What nobody asks for within this time is let go: the client was slow, or is gone. */
const IDLE_MS = 1_000

/** All that hold octets, to be looked through now and then. */
const holders = new Set<ReadAhead>()
let ready = 0
let sweeper: NodeJS.Timeout | null = null

function hold(holder: ReadAhead, octets: number): void {
  ready += octets
  holders.add(holder)
  sweeper ??= setInterval(sweep, IDLE_MS).unref()
}

function sweep(): void {
  for (const holder of holders) if (holder.forgotten()) holders.delete(holder)
  if (holders.size > 0 || sweeper === null) return
  clearInterval(sweeper)
  sweeper = null
}

/** Messages that are read together. */
class Batch {
  /** `null` while they are being read, or if they could not be. */
  #got: Got | null = null
  #reading: Promise<void> | null

  /** How many of them nobody asked for yet. */
  #left: number
  /** Somebody keeps what he got. */
  #kept = false

  constructor(wanted: Omit<Wanted, 'spare'>) {
    this.#left = wanted.sizes.length
    this.#reading = this.#read({ ...wanted, spare: batchMemory.borrow() })
  }

  /** No more of them will be asked for, and those that were have been passed on. */
  get spent(): boolean {
    return this.#left === 0 && !this.#kept
  }

  /** After it is spent. */
  release(): void {
    if (this.#got !== null) batchMemory.giveBack(this.#got.bytes.buffer as ArrayBuffer)
    this.#got = null
  }

  /** One of them, at once if they are there; `null` if it could not be read. */
  message(place: Ready, pieces: Pieces): Buffer | null | Promise<Buffer | null> {
    this.#left--
    this.#kept ||= pieces === 'kept'
    return this.#reading?.then(() => this.#slice(place)) ?? this.#slice(place)
  }

  async #read(wanted: Wanted): Promise<void> {
    // Whatever went wrong, a closer look at the message will say it.
    this.#got = await readers.ask('messages', wanted, memoryOf(wanted)).catch(() => null)
    this.#reading = null
  }

  #slice({ n, from, octets }: Ready): Buffer | null {
    if (this.#got?.good[n] !== true) return null
    const { buffer, byteOffset } = this.#got.bytes
    return Buffer.from(buffer, byteOffset + from, octets)
  }
}

function memoryOf({ spare }: Wanted): readonly ArrayBuffer[] {
  return spare === null ? [] : [spare]
}

/** A message that was read, or is being read: which of its batch, and where it lies there. */
interface Ready {
  readonly batch: Batch
  readonly n: number
  readonly from: number
  readonly octets: number
}

/** What lies ready of one listing. */
export class ReadAhead {
  readonly #path: string
  readonly #owner: number
  readonly #entries: readonly Entry[]
  readonly #ready = new Map<number, Ready>()
  /** The position that a client who reads in order asks for next, and the first that was not read yet. */
  #next = 0
  #frontier = 0
  #window = 1
  /** Which the last message was of. */
  #last: Batch | null = null
  #touched = false

  constructor(path: string, owner: number, entries: readonly Entry[]) {
    this.#path = path
    this.#owner = owner
    this.#entries = entries
  }

  /** A small message with CR LF line ends, at once if it is there. @returns `null` if it is not where it was, or not as it was */
  take({ at }: Entry, pieces: Pieces): Buffer | null | Promise<Buffer | null> {
    this.#touched = true
    this.#passOn()
    if (!this.#ready.has(at)) this.#begin(at)
    this.#next = at + 1
    const found = this.#ready.get(at)
    if (found === undefined) return null
    this.#drop(at, found)
    // The next batch is on its way while this one is being sent.
    if (this.#window > 1 && this.#ready.size < this.#window / 2) this.#fetchMore()
    this.#last = found.batch
    return found.batch.message(found, pieces)
  }

  /** Whoever asks for a message has passed on the one before, if he does not keep them. */
  #passOn(): void {
    if (this.#last?.spent === true) this.#last.release()
    this.#last = null
  }

  /** Called now and then: lets go what was not asked for since. @returns whether nothing is held any more */
  forgotten(): boolean {
    if (!this.#touched) this.#clear()
    this.#touched = false
    return this.#ready.size === 0
  }

  /** Somebody reads elsewhere than expected: begins there, carefully unless it is the next. */
  #begin(at: number): void {
    const expected = at === this.#next
    this.#clear()
    this.#frontier = at
    if (expected) return this.#fetchMore()
    this.#window = 1
    this.#fetch()
  }

  #fetchMore(): void {
    this.#window = Math.min(this.#window * 2, MAX_BATCH)
    this.#fetch()
  }

  #fetch(): void {
    const entries = this.#batch()
    if (entries.length === 0) return
    const batch = new Batch({
      path: this.#path,
      owner: this.#owner,
      places: entries.map(({ places }) => places[0]!).join(BETWEEN),
      sizes: entries.map(({ size }) => size),
      identities: entries.map(({ identity }) => identity),
    })
    let end = 0
    for (const [n, { at, size }] of entries.entries()) {
      this.#ready.set(at, { batch, n, from: end, octets: size })
      end += size
    }
    hold(this, end)
  }

  /** The next small ones. The first is always among them: somebody waits for it. */
  #batch(): readonly Entry[] {
    const batch: Entry[] = []
    let octets = 0
    let skipped = 0
    while (batch.length < this.#window && skipped < MAX_SKIPPED) {
      const entry = this.#entries[this.#frontier]
      if (entry === undefined) break
      const room = octets + entry.size <= MAX_OCTETS && ready + octets + entry.size <= MAX_READY
      if (entry.size > SMALL) skipped++
      else if (room || batch.length === 0) batch.push(entry)
      else break
      if (entry.size <= SMALL) octets += entry.size
      this.#frontier++
    }
    return batch
  }

  #clear(): void {
    for (const [at, each] of this.#ready) this.#drop(at, each)
  }

  #drop(at: number, { octets }: Ready): void {
    this.#ready.delete(at)
    ready -= octets
  }
}
