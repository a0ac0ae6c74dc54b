/** Locks of one process: enough while one process serves all sessions, and the reference for those that reach further. */
import type { Lease, Locks } from './locks.js'

export class MemoryLocks implements Locks {
  /** Name → token of whoever holds it. Grows with the holders alone, so their limit is its limit. */
  readonly #held = new Map<string, number>()
  #lastToken = 0

  async tryAcquire(name: string): Promise<Lease | null> {
    if (this.#held.has(name)) return null
    const token = ++this.#lastToken
    this.#held.set(name, token)
    return {
      token,
      valid: () => this.#held.get(name) === token,
      release: async () => this.#release(name, token),
    }
  }

  /** A lease released twice must not end the one that came after it. */
  #release(name: string, token: number): void {
    if (this.#held.get(name) === token) this.#held.delete(name)
  }
}
