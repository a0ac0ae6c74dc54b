/** A map that holds so many things at most, each for its time. */

interface Kept<T> {
  readonly value: T
  /** By the monotonic clock, milliseconds. */
  readonly until: number
}

export class DnsMemory<T> {
  readonly #max: number
  /** The oldest first. */
  readonly #kept = new Map<string, Kept<T>>()

  /** @param max things at most: the oldest makes room */
  constructor(max: number) {
    this.#max = max
  }

  get(key: string): T | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined || kept.until > performance.now()) return kept?.value
    this.#kept.delete(key)
    return undefined
  }

  set(key: string, value: T, forMs: number): void {
    this.#kept.delete(key)
    if (this.#kept.size >= this.#max) this.#kept.delete(this.#kept.keys().next().value!)
    this.#kept.set(key, { value, until: performance.now() + forMs })
  }

  delete(key: string): void {
    this.#kept.delete(key)
  }
}
