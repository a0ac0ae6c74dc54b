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
/** Our clock and a file server's differ by far less where anybody cares for both. */
const SKEW_NS = 2n * SECOND_NS

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
  const [fresh, seen] = [folderStamp(`${maildir}/new`), folderStamp(`${maildir}/cur`)]
  return { owner, fresh, seen, kept: fileStamp(keptUidsPath(maildir)) }
}

/** The time by our clock, which need not be the file system's, in nanoseconds since 1970. */
export const nowNs = (): bigint => BigInt(Date.now()) * MS_IN_NS

export function sameDirectory(a: Stamp, b: Stamp): boolean {
  return a.inode === b.inode
}

/** Nothing was done in the folders between the two looks, unless it hides behind an equal stamp. */
export function sameFolders(a: Stamps, b: Stamps): boolean {
  return same(a.fresh, b.fresh) && same(a.seen, b.seen)
}

export function same(a: Stamp, b: Stamp): boolean {
  return sameDirectory(a, b) && a.modified === b.modified && a.changed === b.changed
}

/** Of both folders. */
export function longestTick({ fresh, seen }: Stamps): bigint {
  const [a, b] = [tickOf(fresh), tickOf(seen)]
  return a > b ? a : b
}

/** For how many nanoseconds after a change another one could hide behind an equal stamp. */
function tickOf({ modified, changed }: Stamp): bigint {
  const coarse = modified % SECOND_NS === 0n && changed % SECOND_NS === 0n
  return coarse ? COARSE_NS : TICK_NS
}

/** Not so young that another change could hide behind it. @param now by the clock that made the stamp */
export function old(stamp: Stamp, now: bigint): boolean {
  const youngest = now - tickOf(stamp)
  return stamp.modified < youngest && stamp.changed < youngest
}

/** Both folders. */
export function oldFolders({ fresh, seen }: Stamps, now: bigint): boolean {
  return old(fresh, now) && old(seen, now)
}

/**
 * Both folders were last changed so long ago that our own clock is good enough
 * to tell, for one session; for what is kept longer it is not.
 */
export function idle(stamps: Stamps, ours: bigint): boolean {
  return oldFolders(stamps, ours - SKEW_NS)
}

function folderStamp(path: string): Stamp {
  return stampIn(directory(path))
}

/** Of a file; all 0 if it is not there. @throws the system's error */
export function fileStamp(path: string): Stamp {
  const stats = fs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? NOTHING : stampIn(stats)
}

/** Of what was found there. */
export function stampIn({ ino, mtimeNs, ctimeNs }: BigIntStats): Stamp {
  return { inode: ino, modified: mtimeNs, changed: ctimeNs }
}

function directory(path: string): BigIntStats {
  const stats = fs.lstatSync(path, { bigint: true })
  if (!stats.isDirectory()) throw new NotAMaildir(`${path} is not a directory`)
  return stats
}
