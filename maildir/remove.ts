/** Removes messages for good, wherever other programs have moved them. */
import { requireDirectory } from './directories.js'
import { errorCode } from './errors.js'
import type { Entry, Listing } from './maildir.js'
import { look, pathOf } from './scan.js'
import { syncDirectory, unlink } from './system.js'

/** How often those are looked for that were not where they had been. */
const MAX_SEARCHES = 2
/** Unlinks at once: libuv has four threads by default. */
const AT_ONCE = 4

/** What came of a removal. */
export interface Removal {
  /** How many messages are still there. */
  readonly left: number
  /** Why the first of them is. */
  readonly cause?: unknown
}

/**
 * Removes these messages and nothing else, then makes that durable. Those
 * that vanished meanwhile count as removed.
 * @throws NotAMaildir, or the system's error when the directories cannot be
 *   synced: then nobody knows what a power cut would leave
 */
export async function remove(listing: Listing, entries: Iterable<Entry>): Promise<Removal> {
  const removing = new Removing(listing, entries)
  if (removing.nothing) return { left: 0 }
  requireReal(listing.path)
  const removal = await removing.run()
  await syncDirectory(`${listing.path}/new`)
  await syncDirectory(`${listing.path}/cur`)
  return removal
}

/** A directory swapped for a link must not make us remove a stranger's mail. */
function requireReal(maildir: string): void {
  requireDirectory(maildir)
  requireDirectory(`${maildir}/new`)
  requireDirectory(`${maildir}/cur`)
}

class Removing {
  readonly #listing: Listing
  /** Bases not known to be gone. */
  #open: Set<string>
  /** Bases that could not be removed, and why. */
  readonly #failed = new Map<string, unknown>()

  constructor(listing: Listing, entries: Iterable<Entry>) {
    this.#listing = listing
    this.#open = new Set(Array.from(entries, ({ base }) => base))
  }

  get nothing(): boolean {
    return this.#open.size === 0
  }

  async run(): Promise<Removal> {
    await this.#round()
    for (let searches = 0; searches < MAX_SEARCHES && !this.nothing; searches++) {
      this.#listing.places = await look(this.#listing.path)
      this.#open = new Set([...this.#open].filter((base) => this.#listing.places.has(base)))
      await this.#round()
    }
    // What keeps moving away from under us is still there.
    const left = this.#failed.size + this.#open.size
    return { left, cause: this.#failed.values().next().value }
  }

  async #round(): Promise<void> {
    const rest = [...this.#open].values()
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work(rest)))
  }

  async #work(bases: Iterable<string>): Promise<void> {
    for (const base of bases) {
      try {
        if (await this.#unlinkAll(base)) this.#open.delete(base)
      } catch (error) {
        this.#open.delete(base)
        this.#failed.set(base, error)
      }
    }
  }

  /** @returns false if it was not where it had been */
  async #unlinkAll(base: string): Promise<boolean> {
    let found = false
    for (const place of this.#listing.places.get(base) ?? []) {
      if (await unlinkIfThere(pathOf(this.#listing.path, place))) found = true
    }
    return found
  }
}

async function unlinkIfThere(path: string | Buffer): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}
