/**
 * Until when parts of a delivery may be started. The client has its answer by
 * then ("later", and it sends the mail again): what began afterwards would be
 * a second copy that nobody has asked for.
 */
import { performance } from 'node:perf_hooks'
import { tryLater } from '../mail/refusal.js'

/** Milliseconds; less than SMTP gives a delivery (60 seconds), part of which has passed before ours. */
const START_WITHIN = 50_000

export class Deadline {
  readonly #at: number

  /** @param ms milliseconds from now; 50 seconds unless a test says otherwise */
  constructor(ms = START_WITHIN) {
    this.#at = performance.now() + ms
  }

  /** Milliseconds until it is too late; negative afterwards. */
  get left(): number {
    return this.#at - performance.now()
  }

  /** Asked before anything new is begun. @throws Refusal 451 when it is too late */
  require(): void {
    if (this.left > 0) return
    throw tryLater(new Error('the delivery took too long: nothing more of it is started'))
  }
}
