/** Sizes on the wire of files whose names do not tell: they have to be read. */
import fs from 'node:fs'
import { CrlfCounter } from './crlf.js'
import { errorCode, MessageUnsafe } from './errors.js'
import type { Places } from './maildir.js'
import { openPlace } from './open-entry.js'
import { pathOf } from './scan.js'
import { inspect, type Path, readFull } from './system.js'

/** Files read at once: libuv has four threads by default. */
const AT_ONCE = 4
const CHUNK = 64 * 1024
/** Errors that concern one file, not the whole mailbox. */
const UNREADABLE = new Set(['EACCES', 'EPERM', 'EIO'])

interface Maildir {
  readonly path: string
  readonly owner: number
  readonly places: Places
}

/**
 * Reads the files of these bases.
 * @returns base → octets with CR LF line ends; without those that vanished or
 *   are no regular files
 * @throws the system's error when it is not about one file alone
 */
export async function sizesOnDisk(
  maildir: Maildir,
  bases: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  // One iterator for all workers: each takes the next base.
  const rest = bases.values()
  await Promise.all(Array.from({ length: AT_ONCE }, () => work(maildir, rest, sizes)))
  return sizes
}

async function work(
  maildir: Maildir,
  bases: Iterable<string>,
  sizes: Map<string, number>,
): Promise<void> {
  const chunk = Buffer.allocUnsafe(CHUNK)
  for (const base of bases) {
    const size = await sizeOf(maildir, maildir.places.get(base)![0]!, chunk)
    if (size !== null) sizes.set(base, size)
  }
}

/** @returns `null` if it is no message */
async function sizeOf(maildir: Maildir, place: string, chunk: Buffer): Promise<number | null> {
  const stats = await inspectIfThere(pathOf(maildir.path, place))
  // Only a regular file is opened: opening a device or a FIFO may do something.
  if (stats === null || !stats.isFile()) return null
  try {
    return await count(maildir, place, chunk)
  } catch (error) {
    if (error instanceof MessageUnsafe) return null
    if (!UNREADABLE.has(errorCode(error) ?? '')) throw error
    // It is there, and its owner should see that it is; reading it will say what is wrong.
    return Number(stats.size)
  }
}

async function inspectIfThere(path: Path): Promise<fs.BigIntStats | null> {
  try {
    return await inspect(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

async function count(maildir: Maildir, place: string, chunk: Buffer): Promise<number | null> {
  const file = await openPlace(maildir, place)
  if (file === null) return null
  const counter = new CrlfCounter()
  try {
    for (;;) {
      const got = await readFull(file.fd, chunk)
      if (got === 0) return counter.octets
      counter.add(chunk.subarray(0, got))
    }
  } finally {
    fs.closeSync(file.fd)
  }
}
