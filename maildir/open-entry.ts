/** Opens a message's file, wherever it is by now, and makes sure that it may be read. */
import fs, { type Stats } from 'node:fs'
import { requireDirectory } from './directories.js'
import { errorCode, MessageGone, MessageUnsafe } from './errors.js'
import { moment } from './file-clock.js'
import type { Entry, Listing } from './maildir.js'
import { look, pathOf } from './scan.js'
import { idle, longestTick, nowNs, sameFolders, type Stamps, stampsOf } from './stamps.js'
import { openForReading } from './system.js'

/** How often a message is looked for that is not where it was. */
const MAX_SEARCHES = 2

/** The last look at all of a Maildir. */
interface Search {
  /** Of the folders, right before. */
  readonly stamps: Stamps
  /** The moment at which those were seen first. */
  readonly since: bigint
  /** No change that it missed can hide behind them. */
  readonly settled: boolean
}

const searches = new WeakMap<Listing, Search>()

/** An open file; whoever gets it closes it. */
export interface OpenFile {
  readonly fd: number
  /** Octets in the file, with whatever line ends it has. */
  readonly size: number
}

/**
 * Opens a message of a listing, following it through renames.
 * @throws MessageGone, MessageUnsafe, NotAMaildir, or the system's error
 */
export async function openEntry(listing: Listing, entry: Entry): Promise<OpenFile> {
  for (let tries = 0; ; tries++) {
    const [place] = placesOf(listing, entry)
    const file = place === undefined ? null : await openPlace(listing, place)
    if (file !== null) return file
    const known = place === undefined && knowsAll(listing)
    if (known || tries === MAX_SEARCHES) break
    await search(listing)
  }
  throw new MessageGone(`${entry.base} is no longer in ${listing.path}`)
}

/** Where a message was seen last, the best place first; empty if it was not. */
export function placesOf({ moved }: Listing, entry: Entry): readonly string[] {
  return moved === null ? entry.places : (moved.get(entry.base) ?? [])
}

/**
 * Anybody may link to a file that is not theirs; that must not make it theirs
 * to read. A single file of another owner is no link.
 */
export function safeToRead(stats: Stats, owner: number): boolean {
  return stats.isFile() && (stats.uid === owner || stats.nlink === 1)
}

/**
 * Whether the last search found all that is there now: then what it did not
 * find is gone, and a client that asks for it again costs no other search.
 */
function knowsAll(listing: Listing): boolean {
  const last = searches.get(listing)
  return last?.settled === true && sameFolders(last.stamps, stampsOf(listing.path))
}

/**
 * How old a stamp is only the clock of the file system can tell, but not how
 * long it has been known: it was not made after it was first seen.
 */
async function search(listing: Listing): Promise<void> {
  const stamps = stampsOf(listing.path)
  const now = moment()
  const last = searches.get(listing)
  const since = last !== undefined && sameFolders(last.stamps, stamps) ? last.since : now
  const settled = now - since > longestTick(stamps) || idle(stamps, nowNs())
  listing.moved = await look(listing.path)
  searches.set(listing, { stamps, since, settled })
}

/** @returns `null` if nothing is there any more */
async function openPlace(listing: Listing, place: string): Promise<OpenFile | null> {
  const fd = await openIfThere(pathOf(listing.path, place))
  if (fd === null) return null
  try {
    return { fd, size: checkedSize(fd, listing, place) }
  } catch (error) {
    fs.closeSync(fd)
    throw error
  }
}

async function openIfThere(path: string | Buffer): Promise<number | null> {
  try {
    return await openForReading(path)
  } catch (error) {
    const code = errorCode(error)
    if (code === 'ENOENT') return null
    // A symbolic link, a socket.
    if (code !== 'ELOOP' && code !== 'ENXIO') throw error
    throw new MessageUnsafe(`${path.toString()} is not a regular file`, { cause: error })
  }
}

function checkedSize(fd: number, { path, owner }: Listing, place: string): number {
  // Opened through a directory that has meanwhile become a link to somebody else's?
  requireDirectory(path)
  requireDirectory(`${path}/${place.slice(0, place.indexOf('/'))}`)
  const stats = fs.fstatSync(fd)
  if (safeToRead(stats, owner)) return stats.size
  const what = stats.isFile() ? 'a hard link to a file of another owner' : 'not a regular file'
  throw new MessageUnsafe(`${place} is ${what}`)
}
