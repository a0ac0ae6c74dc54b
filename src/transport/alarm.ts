/** A clock for the many waits of one connection: a timer of the system runs at most one at a time, and is seldom set anew. */
import { performance } from 'node:perf_hooks'

export class Alarm {
  readonly #ring: () => void
  #timer: NodeJS.Timeout | null = null
  /** When the timer of the system looks again. */
  #looksAt = 0
  /** When it is time; never if nobody waits. */
  #due = Number.POSITIVE_INFINITY

  /** @param ring called when a wait was not stopped in time */
  constructor(ring: () => void) {
    this.#ring = ring
  }

  set(withinMs: number): void {
    this.#due = performance.now() + withinMs
    // A timer that looks earlier finds out then that it is too early.
    if (this.#timer !== null && this.#looksAt <= this.#due) return
    this.#look(withinMs)
  }

  /** The wait is over. What runs on finds nothing to do. */
  stop(): void {
    this.#due = Number.POSITIVE_INFINITY
  }

  /** There will be no more waits. */
  cancel(): void {
    this.stop()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #look(inMs: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#looksAt = performance.now() + inMs
    this.#timer = setTimeout(() => this.#check(), inMs)
  }

  #check(): void {
    this.#timer = null
    if (this.#due === Number.POSITIVE_INFINITY) return
    const left = this.#due - performance.now()
    if (left > 0) return this.#look(left)
    this.stop()
    this.#ring()
  }
}
