/** Opens a message's file, wherever it is by now, and makes sure that it may be read. */
import fs from 'node:fs'
import { requireDirectory } from './directories.js'
import { errorCode, MessageGone, MessageUnsafe } from './errors.js'
import type { Listing } from './maildir.js'
import { look, pathOf } from './scan.js'
import { openForReading } from './system.js'

/** How often a message is looked for that is not where it was. */
const MAX_SEARCHES = 2

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
export async function openEntry(listing: Listing, base: string): Promise<OpenFile> {
  for (let searches = 0; searches <= MAX_SEARCHES; searches++) {
    if (searches > 0) listing.places = await look(listing.path)
    const place = listing.places.get(base)?.[0]
    const file = place === undefined ? null : await openPlace(listing, place)
    if (file !== null) return file
  }
  throw new MessageGone(`${base} is no longer in ${listing.path}`)
}

/** @returns `null` if nothing is there any more */
export async function openPlace(
  maildir: { readonly path: string; readonly owner: number },
  place: string,
): Promise<OpenFile | null> {
  const fd = await openIfThere(pathOf(maildir.path, place))
  if (fd === null) return null
  try {
    return { fd, size: checkedSize(fd, maildir, place) }
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

function checkedSize(
  fd: number,
  maildir: { readonly path: string; readonly owner: number },
  place: string,
): number {
  // Opened through a directory that has meanwhile become a link to somebody else's?
  requireDirectory(maildir.path)
  requireDirectory(`${maildir.path}/${place.slice(0, place.indexOf('/'))}`)
  const stats = fs.fstatSync(fd)
  if (!stats.isFile()) throw new MessageUnsafe(`${place} is not a regular file`)
  // Anybody may link to a file that is not theirs; that must not make it theirs to read.
  const foreign = stats.uid !== maildir.owner && stats.nlink > 1
  if (foreign) throw new MessageUnsafe(`${place} is a hard link to a file of another owner`)
  return stats.size
}
