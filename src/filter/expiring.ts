/** What is remembered for a while: a map that holds so many things at most, and each for its time. */

interface Kept<T> {
  readonly value: T
  /** By the monotonic clock, milliseconds. */
  readonly until: number
}

export class Expiring<T> {
  readonly #max: number
  readonly #now: () => number
  /** The oldest first. */
  readonly #kept = new Map<string, Kept<T>>()

  /** @param max things at most: the oldest makes room */
  constructor(max: number, now: () => number = () => performance.now()) {
    this.#max = max
    this.#now = now
  }

  get size(): number {
    return this.#kept.size
  }

  get(key: string): T | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined || kept.until > this.#now()) return kept?.value
    this.#kept.delete(key)
    return undefined
  }

  set(key: string, value: T, forMs: number): void {
    this.#kept.delete(key)
    if (this.#kept.size >= this.#max) this.#kept.delete(this.#kept.keys().next().value!)
    this.#kept.set(key, { value, until: this.#now() + forMs })
  }
}
