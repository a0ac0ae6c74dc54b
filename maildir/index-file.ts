/**
 * The index of a large Maildir: one file, `mailtap-index`, with the table of
 * its messages, so that a login need not look at any of them. It is a cache
 * and can be deleted at any time.
 *
 * It is not believed at all
 * - when it is no regular file, has another owner than this process, or a
 *   second name (a hard link to the index of somebody else);
 * - when its version, length or checksum is wrong: a write that was cut off, a
 *   machine with another byte order, a power cut (it is never synced);
 * - when `new` and `cur` are other directories than those it was made from
 *   (inode): a Maildir that was copied or restored gets a new index.
 *
 * What it says of the files in `new`, or in `cur`, is not believed when that
 * directory's time of change
 * - is not the one that it was made at (mtime or ctime, in nanoseconds);
 * - was younger, as the directory was read, than the coarsest clock such times
 *   come from (20 ms; 2 s where they are whole seconds), as then another change
 *   may have left the same time behind. How young it was, only the clock that
 *   made it can tell, and on a file server that is not ours: a file made in
 *   `tmp` says what time it is there (file-clock.ts). Where none can be made,
 *   every time is too young.
 * Then that folder is read again at the next login. The same holds for a folder
 * with something in it that is no message, as that may still become one.
 * What none of this notices is a file system's clock that is set back to the
 * very time of the last change just as the next one comes.
 *
 * Sizes, of names that do not tell them, are kept by the name without flags
 * through all that, as a message never changes (maildir(5)). Only of a name
 * that can come back, or that told a wrong size, they are kept for one file:
 * with another inode, time or length it is another message (identity.ts).
 * Should reading one prove its size wrong, it is measured and the index made
 * anew. Where two messages have one unique part, the index remembers which of
 * them clients know under it (uids.ts); no more than that is lost with it.
 *
 * What it says of ids is not believed when the file of kept ids (kept-uids.ts)
 * is another one, or changed, or gone.
 *
 * Layout: magic with version (8 octets), length of the file (8, a double),
 * CRC-32 of all that follows it (4), byte order mark (4), then for `new`, `cur`
 * and the kept ids inode, mtime, ctime (8 each; 0 = not to be believed, or
 * nothing there), then the table.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { crc32 } from 'node:zlib'
import { requireDirectory } from './directories.js'
import { sameDirectory, type Stamp, type Stamps } from './stamps.js'
import { Table } from './table.js'

/** Its name in the Maildir. */
const NAME = 'mailtap-index'
const MAGIC = Buffer.from('mtindex3')
const ORDER = 0x01020304
const CHECKED_FROM = 20
const HEAD = 96
/** Numbers in the stamps. */
const STAMPS = 9
/** More than the largest table of a million messages can have. */
const MAX_OCTETS = 500_000_000
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants

/** What the index knows. */
export interface Index {
  readonly fresh: Stamp
  readonly seen: Stamp
  readonly kept: Stamp
  readonly table: Table
  /** The table's bytes. */
  readonly bytes: Uint8Array
}

export const indexPath = (maildir: string): string => `${maildir}/${NAME}`

/** @returns `null` when there is none that can be believed, for whatever reason */
export function readIndex(maildir: string, now: Stamps): Index | null {
  try {
    const file = readFile(indexPath(maildir))
    const index = file === null ? null : parse(file)
    if (index === null || !sameDirectory(index.fresh, now.fresh)) return null
    return sameDirectory(index.seen, now.seen) ? index : null
  } catch {
    // No index: the Maildir itself knows everything.
    return null
  }
}

/**
 * Replaces the index. It is only a cache: when the disk is full, the Maildir
 * read-only or `tmp` a link to elsewhere, there is none.
 */
export function writeIndex(maildir: string, stamps: Stamps, table: Uint8Array): void {
  // Whoever cleans up `tmp` knows what to do with what a crash leaves there.
  const draft = `${maildir}/tmp/${NAME}.${process.pid}.${randomBytes(8).toString('hex')}`
  try {
    requireDirectory(`${maildir}/tmp`)
    writeFile(draft, head(stamps, table), table)
    fs.renameSync(draft, indexPath(maildir))
  } catch {
    discard(draft)
  }
}

/** The next listing makes it anew. @throws the system's error, but not if there is none */
export function dropIndex(maildir: string): void {
  fs.rmSync(indexPath(maildir), { force: true })
}

function readFile(path: string): Uint8Array | null {
  const fd = fs.openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = fs.fstatSync(fd)
    const ours = stats.uid === process.geteuid?.() && stats.nlink === 1
    if (!stats.isFile() || !ours || stats.size < HEAD || stats.size > MAX_OCTETS) return null
    // Not from a pool, and begun at 0: the columns are aligned.
    const bytes = new Uint8Array(stats.size)
    let at = 0
    while (at < bytes.length) {
      const got = fs.readSync(fd, bytes, at, bytes.length - at, null)
      if (got === 0) return null
      at += got
    }
    return bytes
  } finally {
    fs.closeSync(fd)
  }
}

function parse(file: Uint8Array): Index | null {
  const view = new DataView(file.buffer)
  const told = Buffer.compare(file.subarray(0, MAGIC.length), MAGIC) === 0
  if (!told || new Uint32Array(file.buffer, CHECKED_FROM, 1)[0] !== ORDER) return null
  if (view.getFloat64(8, true) !== file.length) return null
  if (view.getUint32(16, true) !== crc32(file.subarray(CHECKED_FROM))) return null
  const bytes = file.subarray(HEAD)
  const stamps = new BigUint64Array(file.buffer, 24, STAMPS)
  const [fresh, seen, kept] = [stampAt(stamps, 0), stampAt(stamps, 3), stampAt(stamps, 6)]
  return { fresh, seen, kept, table: new Table(bytes), bytes }
}

function stampAt(all: BigUint64Array, at: number): Stamp {
  return { inode: all[at]!, modified: all[at + 1]!, changed: all[at + 2]! }
}

function head({ fresh, seen, kept }: Stamps, table: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(HEAD)
  const view = new DataView(bytes.buffer)
  bytes.set(MAGIC)
  view.setFloat64(8, HEAD + table.length, true)
  new Uint32Array(bytes.buffer, CHECKED_FROM, 1)[0] = ORDER
  const stamps = [fresh, seen, kept].flatMap((each) => [each.inode, each.modified, each.changed])
  new BigUint64Array(bytes.buffer, 24, STAMPS).set(stamps)
  view.setUint32(16, crc32(table, crc32(bytes.subarray(CHECKED_FROM))), true)
  return bytes
}

function writeFile(path: string, ...parts: readonly Uint8Array[]): void {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    for (const part of parts) writeAll(fd, part)
  } finally {
    fs.closeSync(fd)
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let at = 0
  while (at < bytes.length) {
    const written = fs.writeSync(fd, bytes, at, bytes.length - at)
    if (written === 0) throw new Error('the system took no bytes and gave no reason')
    at += written
  }
}

function discard(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // It was never there, or it cannot be helped.
  }
}
