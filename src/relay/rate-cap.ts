/**
 * No more than so many in any span of that length, wherever it begins: what
 * providers count is never passed, and what comes in a burst need not wait.
 * Counted in memory: a restart begins anew.
 */

/** So many in each span of that length. */
export interface Rate {
  readonly count: number
  /** Milliseconds. */
  readonly periodMs: number
}

/** Entries that are over before the list is made shorter. */
const SLACK = 1_024

export class RateCap {
  #rate: Rate
  readonly #now: () => number
  /** When those of the last span began, oldest first, from `#first` on; no more than the rate has. */
  #begun: number[] = []
  #first = 0

  /** @param now milliseconds of a clock that never goes back */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate
    this.#now = now
  }

  /** What was counted stays counted. */
  change(rate: Rate): void {
    this.#rate = rate
  }

  /** How many may begin now. */
  get free(): number {
    this.#forget()
    return Math.max(0, this.#rate.count - (this.#begun.length - this.#first))
  }

  /** Milliseconds until one may begin; 0 = now. */
  get pauseMs(): number {
    if (this.free > 0) return 0
    const last = this.#begun[this.#begun.length - this.#rate.count]!
    return Math.max(1, Math.ceil(last + this.#rate.periodMs - this.#now()))
  }

  /** Counts one that begins. @returns false if none may */
  take(): boolean {
    if (this.free === 0) return false
    this.#begun.push(this.#now())
    return true
  }

  #forget(): void {
    const over = this.#now() - this.#rate.periodMs
    while (this.#first < this.#begun.length && this.#begun[this.#first]! <= over) this.#first++
    if (this.#first < SLACK) return
    this.#begun = this.#begun.slice(this.#first)
    this.#first = 0
  }
}
