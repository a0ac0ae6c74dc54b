/** Reads a message as it goes over the wire: CR LF line ends, exactly as long as listed. */
import fs from 'node:fs'
import { CrlfWriter } from './crlf.js'
import { WrongSize } from './errors.js'
import type { Content, Entry, Listing } from './maildir.js'
import { openEntry } from './open-entry.js'
import { readFull } from './system.js'

/** Up to here a message is read at once: half the hops, and no descriptor to look after. */
const SMALL = 64 * 1024
const CHUNK = 64 * 1024

/**
 * Gives the content: one Buffer when it is small, else chunk by chunk, reading
 * no further than asked. No file stays open between this call and the first
 * chunk, so content that nobody reads costs nothing.
 * @throws MessageGone, MessageUnsafe, WrongSize, NotAMaildir, or the system's
 *   error; reading the chunks may throw them as well
 */
export async function read(listing: Listing, entry: Entry): Promise<Content> {
  const file = await openEntry(listing, entry.base)
  try {
    if (file.size <= SMALL) return [await whole(file.fd, file.size, entry)]
  } finally {
    fs.closeSync(file.fd)
  }
  return { [Symbol.asyncIterator]: () => chunks(listing, entry) }
}

async function whole(fd: number, size: number, entry: Entry): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(size)
  const got = await readFull(fd, bytes)
  const wire = new CrlfWriter().convert(bytes.subarray(0, got))
  if (wire.length !== entry.size) throw wrongSize(entry)
  return wire
}

async function* chunks(listing: Listing, entry: Entry): AsyncGenerator<Buffer, void, void> {
  const { fd } = await openEntry(listing, entry.base)
  try {
    yield* converted(fd, entry)
  } finally {
    fs.closeSync(fd)
  }
}

async function* converted(fd: number, entry: Entry): AsyncGenerator<Buffer, void, void> {
  const chunk = Buffer.allocUnsafe(CHUNK)
  const writer = new CrlfWriter()
  let left = entry.size
  for (;;) {
    const got = await readFull(fd, chunk)
    if (got === 0) break
    const wire = writer.convert(chunk.subarray(0, got))
    left -= wire.length
    // The listed size was promised to the client; more than that must not go out.
    if (left < 0) throw wrongSize(entry)
    yield wire
  }
  if (left > 0) throw wrongSize(entry)
}

function wrongSize(entry: Entry): WrongSize {
  return new WrongSize(`${entry.base} does not have the ${entry.size} octets it was listed with`)
}
