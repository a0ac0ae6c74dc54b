/** Looks at many things one batch after the other, so that a start with a hundred thousand of them holds up nothing. */

/** How many are looked at together. */
const BATCH = 256
/** Milliseconds between two batches. */
const PAUSE_MS = 10
/** Until what could not be looked at is tried again, in milliseconds. */
const AGAIN_MS = 60_000

export class Loader<T> {
  readonly #load: (one: T) => Promise<boolean>
  #waiting: readonly T[] = []
  #at = 0
  #urgent = false
  #under: Promise<unknown> | null = null
  #timer: NodeJS.Timeout | null = null
  #again: T[] = []
  #againTimer: NodeJS.Timeout | null = null
  #stopped = false

  /** @param load false = not now; must not throw */
  constructor(load: (one: T) => Promise<boolean>) {
    this.#load = load
  }

  /** Something waits of which nothing is known yet. */
  get urgent(): boolean {
    return this.#urgent
  }

  /**
   * Begins to look at these, in the place of those that were left.
   * @param urgent nothing is known of some of them
   */
  begin(all: readonly T[], urgent: boolean): void {
    this.#waiting = all
    this.#at = 0
    this.#urgent = all.length > 0 && (urgent || this.#urgent)
    this.#schedule()
  }

  /** Waits until some more were looked at. */
  async some(): Promise<void> {
    this.#under ??= this.#batch().finally(() => (this.#under = null))
    await this.#under
  }

  stop(): void {
    this.#stopped = true
    for (const timer of [this.#timer, this.#againTimer]) if (timer !== null) clearTimeout(timer)
  }

  async #batch(): Promise<void> {
    const some = this.#waiting.slice(this.#at, this.#at + BATCH)
    this.#at += some.length
    const loaded = await Promise.all(some.map((one) => this.#load(one)))
    this.#later(some.filter((_, at) => loaded[at] === false))
    if (this.#at < this.#waiting.length) return
    this.#waiting = []
    this.#at = 0
    this.#urgent = false
  }

  #schedule(): void {
    if (this.#stopped || this.#timer !== null || this.#waiting.length === 0) return
    this.#timer = setTimeout(() => void this.#turn(), PAUSE_MS)
    this.#timer.unref()
  }

  async #turn(): Promise<void> {
    await this.some()
    this.#timer = null
    this.#schedule()
  }

  #later(some: readonly T[]): void {
    this.#again = this.#again.concat(some)
    if (this.#stopped || this.#again.length === 0 || this.#againTimer !== null) return
    this.#againTimer = setTimeout(() => {
      const left = this.#waiting.slice(this.#at)
      this.#againTimer = null
      this.begin(left.concat(this.#again.splice(0)), true)
    }, AGAIN_MS)
    this.#againTimer.unref()
  }
}
