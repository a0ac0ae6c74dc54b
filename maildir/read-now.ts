/** Reads messages, waiting for the disk: for a thread that has nothing else to do. */
import fs from 'node:fs'
import { wireForm } from './crlf.js'
import { requireDirectory } from './directories.js'
import { type Identity, identityOf, sameFile } from './identity.js'
import { safeToRead } from './open-entry.js'
import { pathOf } from './scan.js'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = fs.constants

/** Small messages of one Maildir. */
export interface Wanted {
  readonly path: string
  readonly owner: number
  readonly files: readonly WantedFile[]
}

/** Where a message was, and as in its `Entry`. */
interface WantedFile {
  readonly place: string
  readonly size: number
  readonly identity: Identity | null
}

/** What was read of them. */
export interface Got {
  /** All messages one behind the other, each with the octets that it was listed with. */
  readonly bytes: Uint8Array
  /** Whether each is there; the others need a closer look, and their bytes are none. */
  readonly good: readonly boolean[]
}

/** Reads files that are where they were and as long as they should be. */
export function readMessages({ path, owner, files }: Wanted): Got {
  const bytes = Buffer.from(new ArrayBuffer(files.reduce((sum, { size }) => sum + size, 0)))
  let end = 0
  const good = files.map((file) => {
    const { size } = file
    end += size
    const wire = readMessage(path, owner, file)
    if (wire?.length !== size) return false
    wire.copy(bytes, end - size)
    return true
  })
  // Opened through a directory that has meanwhile become a link to somebody else's?
  for (const each of ['', '/new', '/cur']) requireDirectory(`${path}${each}`)
  return { bytes, good }
}

function readMessage(path: string, owner: number, file: WantedFile): Buffer | null {
  const { place, size, identity } = file
  try {
    const fd = fs.openSync(pathOf(path, place), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    try {
      const stats = fs.fstatSync(fd)
      // Line ends only ever grow: what is longer than listed is not what was listed.
      if (!safeToRead(stats, owner) || stats.size > size) return null
      if (identity !== null && !sameFile(identityOf(stats), identity)) return null
      const raw = Buffer.allocUnsafe(stats.size)
      return wireForm(raw.subarray(0, fill(fd, raw)), size)
    } finally {
      fs.closeSync(fd)
    }
  } catch {
    // It moved, or cannot be read: whoever wants it looks for it and says what is wrong.
    return null
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
