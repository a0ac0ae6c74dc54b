/** Reads messages, waiting for the disk: for a thread that has nothing else to do. */
import fs from 'node:fs'
import { crlfInput, putWire } from './crlf.js'
import { CHUNK } from './crlf-kernel.js'
import { requireDirectory } from './directories.js'
import { type Identity, identityOf, sameFile } from './identity.js'
import { roomFor } from './memory-pool.js'
import { safeToRead } from './open-entry.js'
import { pathOf } from './scan.js'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** No file's name holds it: many places travel as one text. */
export const BETWEEN = '\0'
/** Octets on the wire up to which a message is small. */
export const SMALL = CHUNK

/** Small messages of one Maildir. */
export interface Wanted {
  readonly path: string
  readonly owner: number
  /** Where they were, with `BETWEEN` in between. */
  readonly places: string
  /** As in their entries. */
  readonly sizes: readonly number[]
  readonly identities: readonly (Identity | null)[]
  /** Memory that nobody uses any more, for the messages to lie in. */
  readonly spare: ArrayBuffer | null
}

/** What was read of them. */
export interface Got {
  /** All messages one behind the other, each with the octets that it was listed with. */
  readonly bytes: Uint8Array
  /** Whether each is there; the others need a closer look, and their bytes are none. */
  readonly good: readonly boolean[]
}

/** Reads files that are where they were and as long as they should be. */
export function readMessages({ path, owner, places, sizes, identities, spare }: Wanted): Got {
  const octets = sizes.reduce((sum, size) => sum + size, 0)
  // What is not written in it nobody gets to see.
  const bytes = roomFor(octets, spare)
  let end = 0
  const good = places.split(BETWEEN).map((place, n) => {
    const size = sizes[n]!
    end += size
    return readMessage(pathOf(path, place), owner, identities[n]!, bytes.subarray(end - size, end))
  })
  // Opened through a directory that has meanwhile become a link to somebody else's?
  for (const each of ['', '/new', '/cur']) requireDirectory(`${path}${each}`)
  return { bytes, good }
}

/** @returns whether it fills its place */
function readMessage(
  path: string | Buffer,
  owner: number,
  identity: Identity | null,
  into: Buffer,
): boolean {
  try {
    const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = fs.fstatSync(fd)
      // Line ends only ever grow: what is longer than listed is not what was listed.
      if (!safeToRead(stats, owner) || stats.size > into.length) return false
      if (identity !== null && !sameFile(identityOf(stats), identity)) return false
      return putWire(fill(fd, crlfInput().subarray(0, stats.size)), into)
    } finally {
      fs.closeSync(fd)
    }
  } catch {
    // It moved, or cannot be read: whoever wants it looks for it and says what is wrong.
    return false
  }
}

/** Reads up to the end of the buffer or of the file. @returns how many octets @throws the system's error */
export function fill(fd: number, into: Buffer): number {
  let at = 0
  while (at < into.length) {
    const got = fs.readSync(fd, into, at, into.length - at, null)
    if (got === 0) break
    at += got
  }
  return at
}
