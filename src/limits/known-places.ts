/** Remembers from where users have logged in, so that strangers elsewhere cannot get in their way. */

/** Pairs of a user and a place; each takes some 200 octets. */
const MAX_PLACES = 50_000
/** Four weeks: a holiday must not make a stranger of anybody. */
const REMEMBERED_MS = 28 * 24 * 3_600_000

export class KnownPlaces {
  readonly #maxPlaces: number
  readonly #now: () => number
  /** `place user` → last login; the longest ago comes first. */
  readonly #last = new Map<string, number>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(now: () => number, maxPlaces = MAX_PLACES) {
    this.#now = now
    this.#maxPlaces = maxPlaces
  }

  /** True if that user has logged in from there in the last weeks. */
  has(place: string, user: string): boolean {
    const last = this.#last.get(`${place} ${user}`)
    return last !== undefined && this.#now() - last < REMEMBERED_MS
  }

  /** That user has just logged in from there. */
  add(place: string, user: string): void {
    const key = `${place} ${user}`
    this.#last.delete(key)
    const [oldest] = this.#last.keys()
    if (this.#last.size >= this.#maxPlaces && oldest !== undefined) this.#last.delete(oldest)
    this.#last.set(key, this.#now())
  }
}
