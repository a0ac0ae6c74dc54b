/**
 * The file `maildirsize` of a Maildir: reading, replacing and adding to it.
 * Several programs do so at once and nobody locks it; what makes that bearable
 * is that a change is one small write at the end (O_APPEND) and everything
 * else a rename. Waits for the disk.
 *
 * A change can be missed while another program counts anew. So that the sum is
 * then too large rather than too small (which a recount soon finds, as a
 * Maildir that seems full is counted again), who adds mail opens the file
 * after that, and who removes mail opens it before.
 */
import { randomBytes } from 'node:crypto'
import fs from 'node:fs'
import { requireDirectory } from './directories.js'
import { FULL, formatAmount, formatSizes, parseSizes, type Sizes } from './size-text.js'
import type { Quota, Usage } from './usage.js'

const NAME = 'maildirsize'
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = fs.constants
/** Of the old file's mode, what a new one may have. */
const MODES = 0o666

/** What was read, and when the file was last written to. */
export interface SizeFile extends Sizes {
  /** Milliseconds since 1970. */
  readonly modified: number
}

export const sizePath = (maildir: string): string => `${maildir}/${NAME}`

/** True if there is something of that name. Costs microseconds right after the Maildir was used. */
export function hasSizes(maildir: string): boolean {
  return fs.lstatSync(sizePath(maildir), { throwIfNoEntry: false }) !== undefined
}

/** @returns `null` when it is missing, full, broken, not to be trusted or cannot be read: all that is cured by counting */
export function readSizes(maildir: string): SizeFile | null {
  let fd: number | null = null
  try {
    fd = fs.openSync(sizePath(maildir), O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
    const stats = fs.fstatSync(fd)
    if (!ownSmallFile(stats)) return null
    const bytes = Buffer.alloc(FULL)
    const got = fs.readSync(fd, bytes, 0, FULL, 0)
    const sizes = got < FULL ? parseSizes(bytes.toString('latin1', 0, got)) : null
    return sizes === null ? null : { ...sizes, modified: stats.mtimeMs }
  } catch {
    return null
  } finally {
    if (fd !== null) fs.closeSync(fd)
  }
}

/** @returns false when it could not be written, or `tmp` is a link to elsewhere: the count is true all the same */
export function writeSizes(maildir: string, quota: Quota, usage: Usage): boolean {
  const draft = `${maildir}/tmp/${NAME}.${process.pid}.${randomBytes(8).toString('hex')}`
  try {
    requireDirectory(`${maildir}/tmp`)
    writeNew(draft, formatSizes(quota, usage), modeOf(maildir))
    fs.renameSync(draft, sizePath(maildir))
    return true
  } catch {
    discard(draft)
    return false
  }
}

/** Without it the next who wants to know counts anew. */
export function dropSizes(maildir: string): void {
  discard(sizePath(maildir))
}

/** The file open for one more line; nothing in here ever throws, as mail comes and goes without it as well. */
export class SizeLine {
  readonly #maildir: string
  #fd: number | null = null

  /** Opens the file if there is one. Owe it one `write`. */
  constructor(maildir: string) {
    this.#maildir = maildir
    if (hasSizes(maildir)) this.#fd = openToAppend(sizePath(maildir))
  }

  /** False: there is no account to keep. */
  get wanted(): boolean {
    return this.#fd !== null
  }

  /** Adds the change, if it is one, and closes. */
  write(change: Usage): void {
    if (this.#fd === null) return
    const nothing = change.bytes === 0 && change.messages === 0
    if (!nothing && !append(this.#fd, formatAmount(change))) dropSizes(this.#maildir)
    fs.closeSync(this.#fd)
    this.#fd = null
  }
}

function openToAppend(path: string): number | null {
  try {
    const fd = fs.openSync(path, O_WRONLY | O_APPEND | O_NOFOLLOW | O_NONBLOCK)
    // A file that is full will be made anew by whoever reads it.
    if (ownSmallFile(fs.fstatSync(fd))) return fd
    fs.closeSync(fd)
  } catch {
    // It vanished, or is not ours to write: whose it is will count anew.
  }
  return null
}

/** In one write, so that lines of several programs never mix. */
function append(fd: number, line: string): boolean {
  try {
    return fs.writeSync(fd, line) === line.length
  } catch {
    return false
  }
}

/** Not a hard link to something else, not a device, not full. */
function ownSmallFile(stats: fs.Stats): boolean {
  return stats.isFile() && stats.nlink === 1 && stats.size < FULL
}

/** Other programs that could read the old one can read the new one. */
function modeOf(maildir: string): number {
  const stats = fs.lstatSync(sizePath(maildir), { throwIfNoEntry: false })
  return stats?.isFile() === true ? (stats.mode & MODES) | 0o600 : 0o600
}

function writeNew(path: string, text: string, mode: number): void {
  const fd = fs.openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    if (fs.writeSync(fd, text) !== text.length) throw new Error('not all of it was written')
    fs.fchmodSync(fd, mode)
  } finally {
    fs.closeSync(fd)
  }
}

function discard(path: string): void {
  try {
    fs.unlinkSync(path)
  } catch {
    // It was never there, or it cannot be helped.
  }
}
