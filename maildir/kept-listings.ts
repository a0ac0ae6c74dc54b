/**
 * What small Maildirs held when they were listed, for those who log in again and again: then a
 * login looks at five inodes and reads nothing. A listing counts for as long as an index made at
 * the same moment would (index-file.ts says when that is), and no longer; of a Maildir that has an
 * index, only as long as that one stays, too.
 */
import { indexPath } from './index-file.js'
import type { Lasting } from './list-now.js'
import type { Entry } from './maildir.js'
import { fileStamp, same, stampsOf } from './stamps.js'

/** Maildirs that are remembered, with or without a listing. */
const MAX_MAILDIRS = 10_000
/** Octets of the table of a small Maildir: some hundred messages. */
const MAX_TABLE = 64 * 1024
/** Octets of all tables together. What is made of them takes about as much again. */
const MAX_TABLES = 16 * 1024 * 1024
/**
 * Milliseconds after a login in which the kernel still has the inodes of a Maildir's directories
 * in its memory. Until then it takes microseconds to look at them, so that is done where it
 * stands; to wake a thread for it takes ten times as long. After that it may take a disk.
 */
const HOT_MS = 60_000

/** What was found when a Maildir was listed. */
export interface KeptListing {
  readonly owner: number
  readonly entries: readonly Entry[]
  readonly lasting: Lasting
}

interface Asked {
  /** When the last login was, by the clock of performance.now(). */
  at: number
  listing: KeptListing | null
  /** Of its table. */
  octets: number
}

export class KeptListings {
  /** By path, the one that nobody asked for the longest first. */
  readonly #asked = new Map<string, Asked>()
  #octets = 0

  /** The listing, if it is still true; `null` if the Maildir has to be listed, or cannot be looked at. */
  get(path: string): KeptListing | null {
    const asked = this.#asked.get(path)
    if (asked === undefined || asked.listing === null || !hot(asked)) return null
    if (!stillTrue(path, asked.listing)) return null
    this.ask(path)
    return asked.listing
  }

  /** Somebody wants to know what the Maildir holds. @returns whether he may do so again soon: somebody did just now */
  ask(path: string): boolean {
    const asked = this.#asked.get(path) ?? { at: -Infinity, listing: null, octets: 0 }
    const again = hot(asked)
    asked.at = performance.now()
    this.#asked.delete(path)
    this.#asked.set(path, asked)
    this.#makeRoom()
    return again
  }

  /** @param octets of the table that it was made of */
  put(path: string, listing: KeptListing, octets: number): void {
    this.forget(path)
    const asked = this.#asked.get(path)
    if (asked === undefined || octets > MAX_TABLE) return
    asked.listing = listing
    asked.octets = octets
    this.#octets += octets
    this.#makeRoom()
  }

  /** The Maildir is not what it was listed as. */
  forget(path: string): void {
    const asked = this.#asked.get(path)
    if (asked === undefined) return
    this.#octets -= asked.octets
    asked.listing = null
    asked.octets = 0
  }

  #makeRoom(): void {
    for (const path of this.#asked.keys()) {
      if (this.#asked.size <= MAX_MAILDIRS && this.#octets <= MAX_TABLES) return
      this.forget(path)
      this.#asked.delete(path)
    }
  }
}

/** Those of this process. */
export const keptListings = new KeptListings()

const hot = ({ at }: Asked): boolean => performance.now() - at < HOT_MS

/** Whatever is wrong with the Maildir, listing it will say so. */
function stillTrue(path: string, { owner, lasting: { stamps, index } }: KeptListing): boolean {
  try {
    const now = stampsOf(path)
    const folders = same(now.fresh, stamps.fresh) && same(now.seen, stamps.seen)
    const rest = same(now.kept, stamps.kept) && now.owner === owner
    return folders && rest && same(fileStamp(indexPath(path)), index)
  } catch {
    return false
  }
}
