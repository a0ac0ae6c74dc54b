/** Locks of one process: enough where one process serves all sessions, and the reference for those that reach further. */
import { Holder } from './holder.js'
import type { Lease, Locks } from './locks.js'

export class MemoryLocks implements Locks {
  /** Name → whoever holds it. Grows with the holders alone, so their limit is its limit. */
  readonly #held = new Map<string, Holder>()
  #lastToken = 0

  async tryAcquire(name: string, takeoverMs = Infinity): Promise<Lease | null> {
    const old = this.#held.get(name)
    if (old !== undefined && old.idleMs < takeoverMs) return null
    const holder = new Holder()
    this.#held.set(name, holder)
    old?.lose()
    return {
      token: ++this.#lastToken,
      valid: () => !holder.over,
      touch: () => holder.touch(),
      onLost: (callback) => holder.onLost(callback),
      release: async () => this.#release(name, holder),
    }
  }

  /** A lease released twice must not end the one that came after it. */
  #release(name: string, holder: Holder): void {
    if (holder.end()) this.#held.delete(name)
  }
}
