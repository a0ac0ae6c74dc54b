/** Reads a message as it goes over the wire: CR LF line ends, exactly as long as listed. */
import fs from 'node:fs'
import { CrlfWriter, wireForm } from './crlf.js'
import { MessageGone, WrongSize } from './errors.js'
import { identityOf, sameFile } from './identity.js'
import type { Content, Entry, Listing, Pieces } from './maildir.js'
import { mistrust } from './mistrust.js'
import { fileSizeIn } from './names.js'
import { type OpenFile, openEntry } from './open-entry.js'
import { PieceReader } from './pieces.js'
import { SMALL } from './read-now.js'
import { readFull } from './system.js'

/**
 * Gives the content: one Buffer when it is small, at once when it was read before; else
 * piece by piece, reading one further than asked at most. No file stays open between this call and the
 * first piece, so content that nobody reads costs nothing.
 * @throws MessageGone, MessageUnsafe, WrongSize, NotAMaildir, or the system's
 *   error; reading the pieces may throw them as well
 */
export function read(
  listing: Listing,
  entry: Entry,
  pieces: Pieces = 'kept',
): Content | Promise<Content> {
  const ahead = entry.size <= SMALL ? listing.ahead.take(entry, pieces) : null
  if (Buffer.isBuffer(ahead)) return [ahead]
  return readLater(listing, entry, pieces, ahead)
}

async function readLater(
  listing: Listing,
  entry: Entry,
  pieces: Pieces,
  ahead: Promise<Buffer | null> | null,
): Promise<Content> {
  const bytes = await ahead
  if (bytes !== null) return [bytes]
  const { fd, size } = await openListed(listing, entry)
  try {
    if (impossible(entry, size)) throw await wrongSize(listing, entry)
    if (size <= SMALL) return [await whole(fd, size, listing, entry)]
  } finally {
    fs.closeSync(fd)
  }
  if (doubtful(entry, size)) await rehearse(listing, entry)
  return { [Symbol.asyncIterator]: () => piecesOf(listing, entry, pieces) }
}

/** As `openEntry`, but never another message that has come under the name since. */
async function openListed(listing: Listing, entry: Entry): Promise<OpenFile> {
  const file = await openEntry(listing, entry)
  const { identity } = entry
  if (identity === null || sameFile(identityOf(fs.fstatSync(file.fd)), identity)) return file
  fs.closeSync(file.fd)
  // Unless somebody wrote into it: then no listing would notice by itself.
  await mistrust(listing.path, entry.base)
  throw new MessageGone(`${entry.base} is not the file any more that was listed`)
}

/** Line ends only ever grow, by one octet for each in the file at most, and by one that was missing. */
function impossible(entry: Entry, size: number): boolean {
  return size > entry.size || 2 * size + 2 < entry.size
}

/** What is wrong about one of its sizes may be wrong about the other. */
function doubtful({ base }: Entry, size: number): boolean {
  return (fileSizeIn(base) ?? size) !== size
}

/** Reads all of it before anything is promised: a session does not outlive a message that breaks off. */
async function rehearse(listing: Listing, entry: Entry): Promise<void> {
  const all = piecesOf(listing, entry, 'passed')
  while ((await all.next()).done !== true);
}

async function whole(fd: number, size: number, listing: Listing, entry: Entry): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  const got = await readFull(fd, bytes)
  const wire = wireForm(bytes.subarray(0, got), entry.size)
  if (wire === null) throw await wrongSize(listing, entry)
  return wire
}

async function* piecesOf(
  listing: Listing,
  entry: Entry,
  pieces: Pieces,
): AsyncGenerator<Buffer, void, void> {
  const { fd } = await openListed(listing, entry)
  const reader = new PieceReader(fd, pieces)
  let left = entry.size
  try {
    for (let bytes = await reader.next(); bytes !== null; bytes = await reader.next()) {
      left -= bytes.length
      // The listed size was promised to the client; more than that must not go out.
      if (left < 0) throw await wrongSize(listing, entry)
      if (bytes.length > 0) yield bytes
    }
    const end = new CrlfWriter(reader.last).end(left)
    if (end.length < left) throw await wrongSize(listing, entry)
    if (end.length > 0) yield end
  } finally {
    await reader.close()
  }
}

/** The next listing knows better, whether the name lied or the index remembered it wrong. */
async function wrongSize(listing: Listing, entry: Entry): Promise<WrongSize> {
  await mistrust(listing.path, entry.base)
  return new WrongSize(`${entry.base} does not have the ${entry.size} octets it was listed with`)
}
