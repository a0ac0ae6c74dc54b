/**
 * The dot lock of an mbox file: `FILE.lock`, made with O_EXCL, as mail
 * programs have agreed on (Node has neither fcntl nor flock locks).
 */
import { randomBytes } from 'node:crypto'
import { link, lstat, open, rename, unlink } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf } from './system-error.js'

/** Milliseconds between two looks at a lock that somebody holds. */
const TRY_EVERY = 250
/** Milliseconds until the mail has to come again. */
const MAX_WAIT = 30_000
/** Milliseconds after which nobody can still be writing: who held the lock has died. */
const STALE_AFTER = 600_000

/** Somebody else writes to the file all the time. */
export class Locked extends Error {
  override readonly name = 'Locked'
}

/**
 * Waits for the lock of a file.
 * @param now milliseconds since 1970, by which the age of a lock is judged
 * @returns what gives it back
 * @throws Locked, or the system's error
 */
export async function lockMbox(
  file: string,
  now: () => number = Date.now,
): Promise<() => Promise<void>> {
  const lock = `${file}.lock`
  for (let waited = 0; ; waited += TRY_EVERY) {
    if (await taken(lock)) return () => release(lock)
    await breakStale(lock, now())
    if (waited >= MAX_WAIT) throw new Locked(`${lock} is held by somebody else`)
    await sleep(TRY_EVERY)
  }
}

async function taken(lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600)
    // Some programs look for the process.
    await file.writeFile(`${process.pid}\n`).finally(() => file.close())
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function release(lock: string): Promise<void> {
  try {
    await unlink(lock)
  } catch (error) {
    // Somebody took it for stale.
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

/** Two may judge one lock at once: what was moved away must be the one that was judged. */
async function breakStale(lock: string, now: number): Promise<void> {
  try {
    const judged = await lstat(lock)
    if (now - judged.mtimeMs < STALE_AFTER) return
    const aside = `${lock}.${randomBytes(8).toString('hex')}`
    await rename(lock, aside)
    const moved = await lstat(aside)
    if (moved.ino !== judged.ino || moved.mtimeMs !== judged.mtimeMs) await putBack(aside, lock)
    await unlink(aside)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
  }
}

async function putBack(aside: string, lock: string): Promise<void> {
  try {
    await link(aside, lock)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}
