/** Removes messages, for good or into the trash, wherever other programs have moved them. */
import { requireDirectory } from './directories.js'
import { thrown } from './failure.js'
import type { Entry, Listing } from './maildir.js'
import { placesOf } from './open-entry.js'
import { readers } from './reader-threads.js'
import { look } from './scan.js'
import { syncDirectory } from './system.js'
import { makeTrash, syncTrash } from './trash.js'
import type { Fate } from './unlink-now.js'

/** How often those are looked for that were not where they had been. */
const MAX_SEARCHES = 2
/**
 * Messages that a thread removes in one go, and after which it is asked whether to go on: a fraction
 * of a millisecond, unless it waits for the disk.
 */
const SLICE = 50
/** So many slices at once: on a disk that takes its time, several wait side by side. */
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
 * that vanished meanwhile count as removed, also if other messages have their
 * names by now: those stay.
 * @param keep true: they go into `.Trash`; for good only where there is no
 *   room for that, as a full disk must not be one that nobody can empty
 * @param mayGoOn asked before each slice: from the first "no" on nothing more is
 *   removed, and what had not its turn is left. Must not throw.
 * @throws NotAMaildir, or the system's error when there can be no trash, or
 *   the directories cannot be synced: then nobody knows what a power cut would leave
 */
export async function remove(
  listing: Listing,
  entries: Iterable<Entry>,
  keep = false,
  mayGoOn: () => boolean = () => true,
): Promise<Removal> {
  const removing = new Removing(listing, entries, mayGoOn)
  if (removing.nothing) return { left: 0 }
  requireReal(listing.path)
  const trash = keep && (await makeTrash(listing.path))
  const removal = await removing.run(trash)
  // First: what a power cut leaves is in both places rather than in none.
  if (trash) await syncTrash(listing.path)
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
  /** Those not known to be gone. */
  #open: Set<Entry>
  /** Those that could not be removed, and why. */
  readonly #failed = new Map<Entry, unknown>()
  /** Those of the last round under whose names there are other messages by now. */
  readonly #replaced = new Set<Entry>()
  readonly #mayGoOn: () => boolean
  #halted = false

  constructor(listing: Listing, entries: Iterable<Entry>, mayGoOn: () => boolean) {
    this.#listing = listing
    this.#mayGoOn = mayGoOn
    this.#open = new Set(entries)
  }

  get nothing(): boolean {
    return this.#open.size === 0
  }

  get #over(): boolean {
    return this.nothing || this.#halted
  }

  async run(trash: boolean): Promise<Removal> {
    await this.#round(trash)
    for (let searches = 0; searches < MAX_SEARCHES && !this.#over; searches++) {
      this.#listing.moved = await look(this.#listing.path)
      const there = (entry: Entry): boolean => placesOf(this.#listing, entry).length > 0
      this.#open = new Set([...this.#open].filter(there))
      await this.#round(trash)
    }
    // What keeps moving away from under us is still there; what only left its name to another is gone.
    const left = this.#failed.size + this.#open.size - this.#replaced.size
    return { left, cause: this.#failed.values().next().value }
  }

  async #round(trash: boolean): Promise<void> {
    this.#replaced.clear()
    const rest = slicesOf([...this.#open]).values()
    await Promise.all(Array.from({ length: AT_ONCE }, () => this.#work(rest, trash)))
  }

  async #work(slices: Iterable<readonly Entry[]>, trash: boolean): Promise<void> {
    for (const entries of slices) {
      if ((this.#halted ||= !this.#mayGoOn())) return
      const messages = entries.map((entry) => {
        return { places: placesOf(this.#listing, entry), identity: entry.identity }
      })
      const fates = await readers.ask('unlink', { path: this.#listing.path, messages, trash })
      for (const [at, entry] of entries.entries()) this.#note(entry, fates[at]!)
    }
  }

  #note(entry: Entry, fate: Fate): void {
    if (fate === 'another') this.#replaced.add(entry)
    if (fate === 'absent' || fate === 'another') return
    this.#open.delete(entry)
    if (fate !== 'removed') this.#failed.set(entry, thrown(fate))
  }
}

function slicesOf(entries: readonly Entry[]): (readonly Entry[])[] {
  const count = Math.ceil(entries.length / SLICE)
  return Array.from({ length: count }, (_, n) => entries.slice(n * SLICE, (n + 1) * SLICE))
}
