/** A lock held through a link on the disk, which other processes can see and may succeed. */
import { monotonicMs } from '../process/clock.js'
import type { Chain, Link } from './chain.js'
import { Holder } from './holder.js'
import type { Lease } from './locks.js'

/** What has to be done when the lease is over. */
export interface LeaseEnd {
  /** Gives the lock back. @returns the link that says so; `null` if the lock was lost before */
  release(): Promise<Link | null>
  /** The lease holds nothing any more. @param last of the chain, if that is known */
  over(last: Link | null): void
}

export class FileLease implements Lease {
  readonly #chain: Chain
  readonly #link: Link
  readonly #publishMs: number
  readonly #end: LeaseEnd
  readonly #holder = new Holder()
  #publishedMs = monotonicMs()

  constructor(chain: Chain, link: Link, publishMs: number, end: LeaseEnd) {
    this.#chain = chain
    this.#link = link
    this.#publishMs = publishMs
    this.#end = end
  }

  get token(): number {
    return this.#link.token
  }

  get idleMs(): number {
    return this.#holder.idleMs
  }

  valid(): boolean {
    return !this.#holder.over && this.#chain.counts(this.#link)
  }

  /**
   * Looks at the disk only now and then: nobody else takes the lock before it has
   * been idle for longer than that.
   */
  touch(): void {
    if (this.#holder.over) return
    this.#holder.touch()
    const now = monotonicMs()
    if (now - this.#publishedMs < this.#publishMs) return
    this.#publishedMs = now
    if (!this.#chain.counts(this.#link)) return this.lose()
    // Whoever cannot say so looks idle; at worst somebody else gets the lock then.
    this.#chain.touch(this.#link).catch(() => {})
  }

  /** Finds out whether somebody else has the lock. Who cannot tell says nothing: `valid()` will. */
  look(): void {
    try {
      if (!this.#chain.counts(this.#link)) this.lose()
    } catch {
      // The lock is no worse than before; whoever asks `valid()` hears of it.
    }
  }

  onLost(callback: () => void): void {
    this.#holder.onLost(callback)
  }

  /** Somebody else has the lock. */
  lose(): void {
    if (this.#holder.over) return
    this.#end.over(null)
    this.#holder.lose()
  }

  async release(): Promise<void> {
    if (!this.#holder.end()) return
    try {
      this.#end.over(await this.#end.release())
    } catch (error) {
      this.#end.over(null)
      throw error
    }
  }
}
