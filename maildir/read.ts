/** Reads a message as it goes over the wire: CR LF line ends, exactly as long as listed. */
import fs from 'node:fs'
import { CrlfWriter, wireForm } from './crlf.js'
import { MessageGone, WrongSize } from './errors.js'
import { identityOf, sameFile } from './identity.js'
import type { Content, Entry, Listing } from './maildir.js'
import { mistrust } from './mistrust.js'
import { fileSizeIn } from './names.js'
import { type OpenFile, openEntry } from './open-entry.js'
import { SMALL } from './read-ahead.js'
import { readFull } from './system.js'

/** Measured: twice or four times as much is slower, the memory has to be fetched anew each time. */
const CHUNK = 64 * 1024

/**
 * Gives the content: one Buffer when it is small, else chunk by chunk, reading
 * no more than a chunk further than asked. No file stays open between this call and the
 * first chunk, so content that nobody reads costs nothing.
 * @throws MessageGone, MessageUnsafe, WrongSize, NotAMaildir, or the system's
 *   error; reading the chunks may throw them as well
 */
export async function read(listing: Listing, entry: Entry): Promise<Content> {
  if (entry.size <= SMALL) {
    const bytes = await listing.ahead.take(entry)
    if (bytes !== null) return [bytes]
  }
  const { fd, size } = await openListed(listing, entry)
  try {
    if (size <= SMALL) return [await whole(fd, size, listing, entry)]
  } finally {
    fs.closeSync(fd)
  }
  if (impossible(entry, size)) throw await wrongSize(listing, entry)
  if (doubtful(entry, size)) await rehearse(listing, entry)
  return { [Symbol.asyncIterator]: () => chunks(listing, entry) }
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
  const all = chunks(listing, entry)
  while ((await all.next()).done !== true);
}

async function whole(fd: number, size: number, listing: Listing, entry: Entry): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  const got = await readFull(fd, bytes)
  const wire = wireForm(bytes.subarray(0, got), entry.size)
  if (wire.length !== entry.size) throw await wrongSize(listing, entry)
  return wire
}

async function* chunks(listing: Listing, entry: Entry): AsyncGenerator<Buffer, void, void> {
  const { fd } = await openListed(listing, entry)
  const file = new Pieces(fd)
  try {
    yield* converted(file, listing, entry)
  } finally {
    await file.end()
    fs.closeSync(fd)
  }
}

async function* converted(
  file: Pieces,
  listing: Listing,
  entry: Entry,
): AsyncGenerator<Buffer, void, void> {
  const writer = new CrlfWriter()
  let left = entry.size
  for (;;) {
    const piece = await file.next()
    if (piece.length === 0) break
    const wire = writer.convert(piece)
    left -= wire.length
    // The listed size was promised to the client; more than that must not go out.
    if (left < 0) throw await wrongSize(listing, entry)
    yield wire
  }
  const end = writer.end(left)
  if (end.length < left) throw await wrongSize(listing, entry)
  if (end.length > 0) yield end
}

/** An open file piece by piece: while one is being sent, the next is being read. */
class Pieces {
  readonly #fd: number
  #buffers: [Buffer, Buffer] = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  #next: Promise<number>

  constructor(fd: number) {
    this.#fd = fd
    this.#next = this.#read()
  }

  /** Empty at the end; valid until asked for the next. */
  async next(): Promise<Buffer> {
    const got = await this.#next
    const [piece, other] = this.#buffers
    this.#buffers = [other, piece]
    if (got > 0) this.#next = this.#read()
    return piece.subarray(0, got)
  }

  /** Before the file is closed: nobody may read from a descriptor that means another file by then. */
  async end(): Promise<void> {
    await this.#next.catch(() => {})
  }

  #read(): Promise<number> {
    const reading = readFull(this.#fd, this.#buffers[0])
    // Whoever asks for it hears of a failure; if nobody does, it does not matter.
    reading.catch(() => {})
    return reading
  }
}

/** The next listing knows better, whether the name lied or the index remembered it wrong. */
async function wrongSize(listing: Listing, entry: Entry): Promise<WrongSize> {
  await mistrust(listing.path, entry.base)
  return new WrongSize(`${entry.base} does not have the ${entry.size} octets it was listed with`)
}
