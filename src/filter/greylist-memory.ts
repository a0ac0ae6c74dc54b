/**
 * Who came before: what greylisting remembers, bounded, in memory, and written
 * down now and then. A crash loses the last minute: then some mail comes once more.
 */
import { type Log, reason } from '../log/log.js'
import type { Greylist, GreylistSettings } from './greylist.js'
import { type Entry, loadEntries, saveEntries } from './greylist-file.js'

/** Triplets that wait, and networks and triplets that came again; some 10 MB in all. */
const MAX_WAITING = 50_000
const MAX_KNOWN = 50_000
/** Seconds that mail may take to come again: mail servers try for days. */
const WAITS = 2 * 86_400
/** Seconds that who came again is known without further mail: a month, for bills and newsletters. */
const KNOWN = 36 * 86_400
/** Seconds after which mail that waits makes room: servers come again within the hour. */
const MAKES_ROOM = 3_600
/** From the first change to the writing of all that changed meanwhile. */
const SAVE_MS = 60_000

export interface GreylistOptions {
  /** The file; its directory is there. */
  readonly path: string
  readonly log: Log
  /** Nothing is ever written. */
  readonly readOnly?: boolean
  /** Milliseconds since 1970; for tests. */
  readonly now?: () => number
}

/** What is known of a network or of a triplet. */
export interface Known {
  /** Seconds since it came first. */
  readonly age: number
  /** How often it came in time. */
  readonly passes: number
}

export class GreylistMemory implements Greylist {
  readonly #options: GreylistOptions
  readonly #now: () => number
  // Apart, so that a flood of strangers pushes out nobody who is known. What was seen longest ago comes first.
  readonly #waiting = new Map<string, Entry>()
  readonly #known = new Map<string, Entry>()
  #loaded: Promise<void> | null = null
  #timer: NodeJS.Timeout | null = null
  #saving: Promise<void> = Promise.resolve()

  constructor(options: GreylistOptions) {
    this.#options = options
    this.#now = options.now ?? Date.now
  }

  /** Resolves when the file has been read; to be awaited before all else. Never rejects. */
  ready(): Promise<void> {
    return (this.#loaded ??= this.#load())
  }

  async wait(network: string, triplet: string, settings: GreylistSettings): Promise<number> {
    await this.ready()
    const { passes } = this.find(network) ?? { passes: 0 }
    if (passes >= settings.trustAfter) {
      this.passed(network)
      return 0
    }
    const first = this.find(triplet)
    // A memory that is full of mail which waits must not keep everybody out.
    if (first === null) return this.begin(triplet) ? settings.delay : 0
    const left = first.passes > 0 ? 0 : settings.delay - first.age
    if (left > 0) return left
    if (first.passes === 0) this.passed(network)
    this.passed(triplet)
    return 0
  }

  /** `null` if nothing is known that still counts. */
  find(key: string): Known | null {
    const entry = this.#known.get(key) ?? this.#waiting.get(key)
    const now = this.#seconds()
    if (entry === undefined || isOver(entry, now)) return null
    return { age: now - entry.since, passes: entry.passes }
  }

  /** Notes mail that has to wait. @returns false when there is no room */
  begin(key: string): boolean {
    const now = this.#seconds()
    this.#waiting.delete(key)
    if (!this.#makeRoom(now)) return false
    this.#waiting.set(key, { since: now, seen: now, passes: 0 })
    this.#saveLater()
    return true
  }

  /** It came, and was let in. */
  passed(key: string): void {
    const now = this.#seconds()
    const known = this.#known.get(key)
    const passes = known === undefined || isOver(known, now) ? 0 : known.passes
    this.#waiting.delete(key)
    this.#known.delete(key)
    if (this.#known.size >= MAX_KNOWN) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(key, { since: known?.since ?? now, seen: now, passes: passes + 1 })
    this.#saveLater()
  }

  /** Writes what has not been written. Never rejects. */
  async close(): Promise<void> {
    if (this.#timer !== null) this.#save()
    await this.#saving
  }

  async #load(): Promise<void> {
    try {
      for (const [key, entry] of await loadEntries(this.#options.path, MAX_WAITING + MAX_KNOWN)) {
        const [map, max] =
          entry.passes > 0 ? [this.#known, MAX_KNOWN] : [this.#waiting, MAX_WAITING]
        if (map.size < max) map.set(key, entry)
      }
    } catch (error) {
      this.#failed('greylist cannot be read', error)
    }
  }

  /** Mail that came a moment ago must find itself again: only what is old makes room. */
  #makeRoom(now: number): boolean {
    if (this.#waiting.size < MAX_WAITING) return true
    const [key, { seen }] = this.#waiting.entries().next().value!
    return now - seen >= MAKES_ROOM && this.#waiting.delete(key)
  }

  #saveLater(): void {
    if (this.#options.readOnly === true) return
    this.#timer ??= setTimeout(() => this.#save(), SAVE_MS).unref()
  }

  #save(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    this.#saving = this.#saving.then(() => this.#write())
  }

  async #write(): Promise<void> {
    const now = this.#seconds()
    const all = [...this.#known, ...this.#waiting]
    const live = all.filter(([, entry]) => !isOver(entry, now))
    await saveEntries(this.#options.path, live).catch((error: unknown) =>
      this.#failed('greylist cannot be written', error),
    )
  }

  #failed(event: string, error: unknown): void {
    this.#options.log.warn(event, { file: this.#options.path, reason: reason(error) })
  }

  #seconds(): number {
    return Math.floor(this.#now() / 1000)
  }
}

function isOver({ seen, passes }: Entry, now: number): boolean {
  return now - seen > (passes > 0 ? KNOWN : WAITS)
}
