/**
 * User files that were read a short time ago, so that who logs in again and again costs one
 * look at the file. A copy counts only for the state of the file that it was made from: one
 * that was changed, replaced or removed is never taken from here.
 */
import { type BigIntStats, lstat, lstatSync } from 'node:fs'
import { type SmallFile, stampOf } from './small-file.js'
import type { UserFile } from './user-file.js'

/** Files of all domains together, at a kilobyte or two each. */
const MAX_KEPT = 10_000
/** Characters; what a longer file says is not kept. */
const MAX_LENGTH = 4_096
/**
 * Milliseconds after a change in which another one could hide behind an equal stamp: times may
 * be whole seconds, or two of them, and a file server's clock need not be ours.
 */
const SETTLING_MS = 5_000
/**
 * Milliseconds after a look in which the kernel still has the file's inode in its memory. Until
 * then a look takes some microseconds, so it is made where it stands; a turn on libuv's pool
 * takes twenty times as long. After that it may have to wait for the disk, and does so there.
 */
const HOT_MS = 60_000

/** What was read of a file. */
export interface KeptUser {
  readonly user: UserFile
  /** Permission bits and file type, as in stat(2). */
  readonly mode: number
  /** Nothing stands in the file. */
  readonly blank: boolean
}

interface Kept extends KeptUser {
  readonly stamp: string
  /** Of the last look, by the clock of the constructor. */
  seen: number
}

export class KeptUsers {
  /** By path, the one kept longest first. */
  readonly #kept = new Map<string, Kept>()
  readonly #now: () => number

  /** @param now milliseconds of a clock that never goes back; the system's unless a test brings its own */
  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** The copy of the file as it is now; `null` if there is none, or the file cannot be looked at. */
  async get(path: string): Promise<KeptUser | null> {
    const kept = this.#kept.get(path)
    if (kept === undefined) return null
    const now = this.#now()
    const stats = now - kept.seen < HOT_MS ? lookNow(path) : await look(path)
    if (stats !== null && stampOf(stats) === kept.stamp) {
      kept.seen = now
      return kept
    }
    if (this.#kept.get(path) === kept) this.#kept.delete(path)
    return null
  }

  /** @param beganMs when its reading began, in milliseconds since 1970 */
  put(path: string, user: KeptUser, file: SmallFile, beganMs: number): void {
    this.#kept.delete(path)
    const settled = beganMs - file.changedMs > SETTLING_MS
    if (!settled || file.text.length > MAX_LENGTH) return
    const [oldest] = this.#kept.keys()
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest)
    this.#kept.set(path, { ...user, stamp: file.stamp, seen: this.#now() })
  }
}

/** Whatever is wrong, reading the file will say it. */
function lookNow(path: string): BigIntStats | null {
  try {
    return lstatSync(path, { bigint: true, throwIfNoEntry: false }) ?? null
  } catch {
    return null
  }
}

function look(path: string): Promise<BigIntStats | null> {
  return new Promise((resolve) => {
    lstat(path, { bigint: true }, (error, stats) => resolve(error === null ? stats : null))
  })
}
