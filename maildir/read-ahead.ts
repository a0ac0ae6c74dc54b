/**
 * Reads small messages before they are asked for, many at a time. Clients read
 * in order: the more often one did, the further ahead is read for it.
 */
import type { Entry } from './maildir.js'
import { readers } from './reader-threads.js'

/** Octets on the wire up to which a message is small. */
export const SMALL = 64 * 1024
/** Messages, and octets, that are read at a time. */
const MAX_BATCH = 32
const MAX_OCTETS = 256 * 1024
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

/** A message that was read, or is being read; `null` if it could not be. */
interface Ready {
  readonly bytes: Promise<Buffer | null>
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
  #touched = false

  constructor(path: string, owner: number, entries: readonly Entry[]) {
    this.#path = path
    this.#owner = owner
    this.#entries = entries
  }

  /** A small message with CR LF line ends. @returns `null` if it is not where it was, or not as it was */
  take(entry: Entry): Promise<Buffer | null> {
    this.#touched = true
    const { at } = entry
    if (!this.#ready.has(at)) this.#begin(at)
    this.#next = at + 1
    const found = this.#ready.get(at)
    if (found === undefined) return Promise.resolve(null)
    this.#drop(at, found)
    // The next batch is on its way while this one is being sent.
    if (this.#window > 1 && this.#ready.size < this.#window / 2) this.#fetchMore()
    return found.bytes
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
    const files = entries.map(({ places, size, identity }) => {
      return { place: places[0]!, size, identity }
    })
    const asked = readers.ask('messages', { path: this.#path, owner: this.#owner, files })
    // Whatever went wrong, a closer look at the message will say it.
    const read = asked.catch(() => null)
    let end = 0
    for (const [n, { at, size }] of entries.entries()) {
      end += size
      const from = end - size
      const bytes = read.then((got) => (got?.good[n] ? slice(got.bytes, from, size) : null))
      this.#ready.set(at, { bytes, octets: size })
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

function slice({ buffer, byteOffset }: Uint8Array, from: number, length: number): Buffer {
  return Buffer.from(buffer, byteOffset + from, length)
}
