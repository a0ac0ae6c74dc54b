/**
 * How many password checks run at once. argon2 takes memory, and threads that
 * the file system needs as well: more at once would not be faster, only hungrier.
 */
import { LoginUnavailable } from '../cred/errors.js'

export interface SlotLimits {
  /** Checks at once; below the size of libuv's thread pool (4). */
  readonly running: number
  /** Checks that wait for their turn. */
  readonly waiting: number
  /** Milliseconds that one waits at most. */
  readonly patience: number
}

/** At 50 ms each, 200 waiting checks take 5 seconds. */
const LIMITS: SlotLimits = { running: 2, waiting: 200, patience: 20_000 }

export class Slots {
  readonly #limits: SlotLimits
  #running = 0
  /** Who waits, the longest first. */
  readonly #waiting = new Set<() => void>()

  constructor(limits: SlotLimits = LIMITS) {
    this.#limits = limits
  }

  /**
   * Runs a check when a slot is free.
   * @throws LoginUnavailable when too many wait, or this one waited too long
   */
  async run<T>(check: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limits.running) await this.#wait()
    else this.#running++
    try {
      return await check()
    } finally {
      this.#pass()
    }
  }

  /** Resolves with a slot that somebody else passed on. */
  #wait(): Promise<void> {
    if (this.#waiting.size >= this.#limits.waiting) {
      throw new LoginUnavailable('too many logins at once')
    }
    return new Promise((resolve, reject) => {
      const turn = (): void => {
        clearTimeout(timer)
        resolve()
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(turn)
        reject(new LoginUnavailable('too many logins at once'))
      }, this.#limits.patience)
      this.#waiting.add(turn)
    })
  }

  /** The slot stays taken when it goes to the next one, so nobody can slip in between. */
  #pass(): void {
    const [next] = this.#waiting
    if (next === undefined) {
      this.#running--
      return
    }
    this.#waiting.delete(next)
    next()
  }
}
