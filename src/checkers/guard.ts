/**
 * Stands between the portal and a back end that may be slow or down: each question has a time-out,
 * only so many are asked at once, and one that keeps failing is left alone for a while, so that
 * nobody else's login waits for it. Whatever is wrong is "cannot tell", never "no".
 */
import { performance } from 'node:perf_hooks'
import { Slots } from './slots.js'

export interface GuardLimits {
  /** Milliseconds for one question, its wait for a turn not counted. */
  readonly timeoutMs: number
  /** Questions at once. */
  readonly running: number
  /** Questions that wait for their turn. */
  readonly waiting: number
  /** Failures in a row after which the back end counts as down. */
  readonly failures: number
  /** Milliseconds for which nobody asks it then. */
  readonly restMs: number
}

export const GUARD: GuardLimits = {
  timeoutMs: 5_000,
  running: 16,
  waiting: 500,
  failures: 3,
  restMs: 10_000,
}

/** The back end cannot tell just now. */
export class BackEndDown extends Error {
  override readonly name = 'BackEndDown'
}

export class Guard {
  readonly #name: string
  readonly #limits: GuardLimits
  readonly #slots: Slots
  readonly #now: () => number
  #failures = 0
  #restsUntil = 0

  /**
   * @param name of the checker, for the log
   * @param now milliseconds of a clock that never goes back; the system's unless a test brings its own
   */
  constructor(name: string, limits: Partial<GuardLimits> = {}, now = () => performance.now()) {
    this.#name = name
    this.#limits = { ...GUARD, ...limits }
    const { running, waiting, timeoutMs } = this.#limits
    this.#slots = new Slots({ running, waiting, patience: timeoutMs })
    this.#now = now
  }

  /**
   * Asks one question.
   * @param ask is told by the signal when nobody waits for the answer any more
   * @param from whoever has the same takes turns as one
   * @throws BackEndDown, LoginUnavailable when too many wait, or what the question threw
   */
  async run<T>(ask: (signal: AbortSignal) => Promise<T>, from = ''): Promise<T> {
    this.#checkAwake()
    return this.#slots.run(async () => {
      // Those who waited while it went down need not find out one by one.
      this.#checkAwake()
      try {
        const answer = await this.#timed(ask)
        this.#failures = 0
        return answer
      } catch (error) {
        this.#failed()
        throw error
      }
    }, from)
  }

  /** After a rest one failure is enough for the next: the count stays. */
  #failed(): void {
    this.#failures++
    if (this.#failures >= this.#limits.failures) {
      this.#restsUntil = this.#now() + this.#limits.restMs
    }
  }

  #checkAwake(): void {
    if (this.#restsUntil > this.#now()) {
      throw new BackEndDown(`the checker ${this.#name} failed just now; it is asked again soon`)
    }
  }

  #timed<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const controller = new AbortController()
    return new Promise<T>((resolve, reject) => {
      const timer = setTimeout(() => {
        const late = new BackEndDown(
          `the checker ${this.#name} gave no answer in ${this.#limits.timeoutMs} ms`,
        )
        controller.abort(late)
        reject(late)
      }, this.#limits.timeoutMs)
      Promise.resolve()
        .then(() => ask(controller.signal))
        .then(resolve, reject)
        .finally(() => clearTimeout(timer))
    })
  }
}
