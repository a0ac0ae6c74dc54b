/** Memory that all messages on their way in share, so that no number of clients can take more of it. */

const MIB = 1_048_576
/** Octets that they may have together, beyond what each may have anyway. */
const MAX_SHARED = 32 * MIB

/** What is left of a number of octets. */
export class MemoryPool {
  #left: number

  constructor(octets = MAX_SHARED) {
    this.#left = octets
  }

  /** @returns false if there is not so much left; nothing is taken then */
  take(octets: number): boolean {
    if (octets > this.#left) return false
    this.#left -= octets
    return true
  }

  giveBack(octets: number): void {
    this.#left += octets
  }
}

/** That of this process. */
export const incoming = new MemoryPool()

/** The part of one message. */
export class MemoryShare {
  readonly #pool: MemoryPool
  #held = 0

  constructor(pool: MemoryPool) {
    this.#pool = pool
  }

  /** Has so many octets from now on, if they can be had. */
  grow(octets: number): boolean {
    if (octets <= this.#held) return true
    if (!this.#pool.take(octets - this.#held)) return false
    this.#held = octets
    return true
  }

  /** Gives all of it back. */
  release(): void {
    this.#pool.giveBack(this.#held)
    this.#held = 0
  }
}
