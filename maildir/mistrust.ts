/**
 * Messages that are not as they were listed. They are measured before the next
 * listing, at once if it is the first in a while: where a program gave wrong
 * sizes to a whole mailbox, its owner's mail program finds one after the other,
 * and to look at all folders for each of them would take longer than the mail.
 */
import { keptListings } from './kept-listings.js'
import { readers } from './reader-threads.js'

/** How long at least from one look at a Maildir's folders to the next, in milliseconds. */
const PAUSE_MS = 1_000
/** Messages that wait for one look; what there is no room for is met again by the next session. */
const MAX_WAITING = 10_000

/** Maildirs that were looked at a moment ago, or are right now. */
const busy = new Map<string, Doubts>()

/** Never throws: what cannot be measured, or kept, the next session will meet again. */
export async function mistrust(path: string, base: string): Promise<void> {
  keptListings.forget(path)
  const doubts = busy.get(path)
  if (doubts !== undefined) return doubts.add(base)
  const first = new Doubts(path)
  busy.set(path, first)
  first.add(base)
  await first.settle()
}

/** For who is about to list a Maildir: whatever is known to be wrong is put right before. Never throws. */
export async function settled(path: string): Promise<void> {
  await busy.get(path)?.settle()
}

/** Of one Maildir. */
class Doubts {
  readonly #path: string
  readonly #waiting = new Set<string>()
  #done: Promise<void> = Promise.resolve()

  constructor(path: string) {
    this.#path = path
    setTimeout(() => void this.#pause(), PAUSE_MS).unref()
  }

  add(base: string): void {
    if (this.#waiting.size < MAX_WAITING) this.#waiting.add(base)
  }

  /** Resolves when all that wait now are measured. */
  settle(): Promise<void> {
    this.#done = this.#done.then(() => this.#measure())
    return this.#done
  }

  async #measure(): Promise<void> {
    if (this.#waiting.size === 0) return
    const bases = [...this.#waiting]
    this.#waiting.clear()
    try {
      await readers.ask('mistrust', { path: this.#path, bases })
    } catch {
      // The Maildir is gone, or the disk fails: whoever comes next will be told.
    } finally {
      keptListings.forget(this.#path)
    }
  }

  async #pause(): Promise<void> {
    const more = this.#waiting.size > 0
    await this.settle()
    if (more || this.#waiting.size > 0) setTimeout(() => void this.#pause(), PAUSE_MS).unref()
    else busy.delete(this.#path)
  }
}
