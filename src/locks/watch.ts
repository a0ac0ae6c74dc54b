/**
 * Looks at the leases of this process now and then. Whoever works with one finds out by itself
 * that another process has the lock; whoever is idle would never. One timer for all of them.
 */

/** How long after a round the next one begins, in milliseconds. */
export const WATCH_MS = 2_000
/** Leases that are looked at in one go, at some microseconds each; the others wait for {@link PAUSE_MS}. */
const MAX_AT_ONCE = 200
/** Milliseconds in which the process does its other work. */
const PAUSE_MS = 20

/** What can be looked at. */
export interface Watched {
  /** Tells its holder if it is lost. Must not throw. */
  look(): void
}

export class LeaseWatch {
  readonly #leases: ReadonlyMap<string, Watched>
  readonly #everyMs: number
  /** The round under way: goes on where it was, whatever was added or removed meanwhile. */
  #round: Iterator<Watched> | null = null
  #timer: NodeJS.Timeout | null = null

  /** @param leases those held, as they come and go */
  constructor(leases: ReadonlyMap<string, Watched>, everyMs: number) {
    this.#leases = leases
    this.#everyMs = everyMs
  }

  /** There is a lease to watch; when there is none any more, it sleeps. */
  wake(): void {
    if (this.#timer === null) this.#lookIn(this.#everyMs)
  }

  #lookIn(milliseconds: number): void {
    // Nobody waits for this: it must not keep a program from ending.
    this.#timer = setTimeout(() => this.#look(), milliseconds).unref()
  }

  #look(): void {
    this.#timer = null
    if (this.#leases.size === 0) this.#round = null
    else this.#lookIn(this.#some() ? PAUSE_MS : this.#everyMs)
  }

  /** @returns true if there are more in this round */
  #some(): boolean {
    this.#round ??= this.#leases.values()
    for (let count = 0; count < MAX_AT_ONCE; count++) {
      const next = this.#round.next()
      if (next.done === true) {
        this.#round = null
        return false
      }
      next.value.look()
    }
    return true
  }
}
