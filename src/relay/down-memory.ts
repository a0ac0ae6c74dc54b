/**
 * Which smarthosts were of no use lately: so that a dead one costs a connect
 * time-out now and then, not with every mail, and is tried again all the same.
 */
import type { Refusal } from '../mail/refusal.js'

/** Milliseconds that a server is passed over after it failed; doubled each time that it fails again. */
const FIRST_MS = 60_000
const LONGEST_MS = 15 * 60_000
/** Failures in a row after which one mail at a time tries it, and the others do not wait for that. */
const DEAD_AFTER = 3
/** More doublings than there are between the two. */
const MAX_DOUBLINGS = 10

interface Failed {
  failures: number
  /** When it is tried again before others. */
  until: number
  why: Refusal
  /** Mails that are trying it. */
  trying: number
}

export class DownMemory {
  readonly #now: () => number
  /** By name of the server; bounded by how many there are. */
  readonly #failed = new Map<string, Failed>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The one to try next: the first of them that works or is due, otherwise the one that is due first. */
  next<T extends { readonly key: string }>(servers: readonly T[]): T | null {
    const ready = servers.find(({ key }) => this.#isReady(key))
    if (ready !== undefined) return ready
    const byTime = servers.toSorted((one, other) => this.#until(one.key) - this.#until(other.key))
    return byTime[0] ?? null
  }

  /** Why it is not worth a try now: it is dead, and another mail is finding out whether it still is. */
  hopeless(key: string): Refusal | null {
    const failed = this.#failed.get(key)
    if (failed === undefined || failed.failures < DEAD_AFTER || failed.trying === 0) return null
    return failed.why
  }

  /** @returns what to call when the try is over */
  begin(key: string): () => void {
    const failed = this.#failed.get(key)
    if (failed === undefined) return () => {}
    failed.trying++
    return () => void failed.trying--
  }

  /** @returns milliseconds that others come before it now */
  failure(key: string, why: Refusal): number {
    const failed = this.#failed.get(key) ?? { failures: 0, until: 0, why, trying: 0 }
    const now = this.#now()
    // Those that were under way together failed once.
    if (failed.until <= now || failed.trying > 0) failed.failures++
    const doublings = Math.min(failed.failures - 1, MAX_DOUBLINGS)
    const forMs = Math.min(LONGEST_MS, FIRST_MS * 2 ** doublings)
    Object.assign(failed, { until: now + forMs, why })
    this.#failed.set(key, failed)
    return forMs
  }

  /** @returns true if it was down */
  success(key: string): boolean {
    return this.#failed.delete(key)
  }

  /** Forgets all but these. */
  keep(keys: ReadonlySet<string>): void {
    for (const key of this.#failed.keys()) if (!keys.has(key)) this.#failed.delete(key)
  }

  #isReady(key: string): boolean {
    const failed = this.#failed.get(key)
    return failed === undefined || (failed.until <= this.#now() && failed.trying === 0)
  }

  #until(key: string): number {
    return this.#failed.get(key)?.until ?? 0
  }
}
