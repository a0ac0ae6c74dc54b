/** When the folders of a Maildir changed last, and whether that can be believed yet. */
import fs, { type BigIntStats } from 'node:fs'
import { NotAMaildir } from './errors.js'
import { keptUidsPath } from './kept-uids.js'

/** Coarser than any kernel's clock for file times: changes within it may share a time stamp. */
const TICK_NS = 20_000_000n
/** Some file systems count in seconds, some in two of them. */
const SECOND_NS = 1_000_000_000n
const COARSE_NS = 2n * SECOND_NS + TICK_NS
const MS_IN_NS = 1_000_000n

/** A directory, or a file, and the time of its last change; nobody can set `changed` but the kernel. */
export interface Stamp {
  readonly inode: bigint
  readonly modified: bigint
  readonly changed: bigint
}

const NOTHING: Stamp = { inode: 0n, modified: 0n, changed: 0n }

export interface Stamps {
  /** The user id that owns the Maildir. */
  readonly owner: number
  readonly fresh: Stamp
  readonly seen: Stamp
  /** Of the file of kept ids; all 0 if there is none. */
  readonly kept: Stamp
}

/** Looks at the directories. @throws NotAMaildir or the system's error; ENOENT if one is not there */
export function stampsOf(maildir: string): Stamps {
  const owner = Number(directory(maildir).uid)
  const [fresh, seen] = [stamp(`${maildir}/new`), stamp(`${maildir}/cur`)]
  return { owner, fresh, seen, kept: fileStamp(keptUidsPath(maildir)) }
}

/** The time now, in nanoseconds. */
export const nowNs = (): bigint => BigInt(Date.now()) * MS_IN_NS

export function sameDirectory(a: Stamp, b: Stamp): boolean {
  return a.inode === b.inode
}

export function same(a: Stamp, b: Stamp): boolean {
  return sameDirectory(a, b) && a.modified === b.modified && a.changed === b.changed
}

/** Not so young that another change could hide behind an equal stamp. */
export function old({ modified, changed }: Stamp, now: bigint): boolean {
  const coarse = modified % SECOND_NS === 0n && changed % SECOND_NS === 0n
  const youngest = now - (coarse ? COARSE_NS : TICK_NS)
  return modified < youngest && changed < youngest
}

function stamp(path: string): Stamp {
  return stampIn(directory(path))
}

function fileStamp(path: string): Stamp {
  const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? NOTHING : stampIn(stats)
}

function stampIn({ ino, mtimeNs, ctimeNs }: BigIntStats): Stamp {
  return { inode: ino, modified: mtimeNs, changed: ctimeNs }
}

function directory(path: string): BigIntStats {
  const stats = fs.lstatSync(path, { bigint: true })
  if (!stats.isDirectory()) throw new NotAMaildir(`${path} is not a directory`)
  return stats
}
