/**
 * Which file a name meant. A name that begins with the time of its delivery is
 * never given to another message (maildir(5)); any other may be: procmail's
 * `msg.<inode>`, the numbers of MH. Such a name alone says nothing about a
 * message; this tells one bearer of it from the next.
 */
import { createHash } from 'node:crypto'
import type { Stats } from 'node:fs'
import { tellsTime } from './names.js'

/** Octets of a file that are looked at to tell its content from another's: its header, in practice. */
export const HEAD_OCTETS = 64 * 1024
/** What a JavaScript number holds exactly, and more than enough to tell apart what had one name. */
const DIGEST_OCTETS = 6

/**
 * What a file keeps through all renames, on one disk. The inode alone would
 * not do: procmail makes its names of it, so both return together.
 */
export interface Identity {
  readonly inode: number
  /** When its content changed last, in milliseconds. */
  readonly modified: number
  /** Octets in the file. */
  readonly octets: number
}

/** What is known of a file whose name does not tell enough. */
export interface Remark extends Identity {
  /** Tells its content from that of others; 0: not known. */
  readonly digest: number
}

/** Whether another message may come under that name. */
export const returns = (base: string): boolean => !tellsTime(base)

export function identityOf({ ino, mtimeMs, size }: Stats): Identity {
  return { inode: ino, modified: mtimeMs, octets: size }
}

export function sameFile(a: Identity, b: Identity): boolean {
  return a.inode === b.inode && a.modified === b.modified && a.octets === b.octets
}

/**
 * Of the content, as that is what lasts: times and inodes do not survive every
 * copy to another disk, and a message never changes.
 * @param head the first `HEAD_OCTETS` of the file, or all of it
 * @param octets in the whole file
 * @returns never 0
 */
export function digestOf(head: Uint8Array, octets: number): number {
  const hash = createHash('sha256').update(`${octets}\n`).update(head).digest()
  return hash.readUIntBE(0, DIGEST_OCTETS) || 1
}
