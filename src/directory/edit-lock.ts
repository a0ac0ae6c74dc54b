/**
 * One process at a time changes a user file: it puts a file of its own beside it, and whoever
 * comes meanwhile waits. Held for some milliseconds; the file of a process that died is taken
 * away after a while, by the one that could make a second file, named after its content.
 */
import { createHash, randomBytes } from 'node:crypto'
import { open, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from './error-code.js'
import { unlinkIfThere } from './small-file.js'

/** Milliseconds that one waits at most. */
const WAIT_MS = 20_000
const POLL_MS = 20
/** Milliseconds after which nobody is at work any more: the work is one small write. */
const DEAD_MS = 10_000

/**
 * Does the work while nobody else does work under that name.
 * @param folder where files can be made
 * @param work gets what says whether the lock is still ours: to be asked right before the change
 * @throws Error when somebody else does not come to an end; whatever the work throws
 */
export async function underLock<T>(
  folder: string,
  name: string,
  work: (isOurs: () => Promise<boolean>) => Promise<T>,
): Promise<T> {
  // Begins with a dot: whoever lists the directory takes it for nobody.
  const lock = join(folder, `.lock-${name}`)
  const token = randomBytes(16).toString('hex')
  const isOurs = async (): Promise<boolean> => (await textOf(lock)) === token
  await take(lock, token)
  try {
    return await work(isOurs)
  } finally {
    if (await isOurs()) await unlinkIfThere(lock)
  }
}

async function take(lock: string, token: string): Promise<void> {
  const late = performance.now() + WAIT_MS
  while (!(await make(lock, token))) {
    if (performance.now() > late) {
      throw new Error(`${lock}: somebody else is changing the user; try again, or remove that file`)
    }
    await sleep(POLL_MS)
    await removeDead(lock)
  }
}

/** @returns false if there is one */
async function make(path: string, text: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600)
    try {
      await file.writeFile(text)
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false
    throw error
  }
}

/** What was there when we looked is removed, and never what came after it. */
async function removeDead(lock: string): Promise<void> {
  const text = await textOf(lock)
  if (text === null || !(await isOld(lock))) return
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 16)
  const permit = `${lock}.${digest}`
  if (!(await make(permit, ''))) {
    // Whoever had the permit may have died, too.
    if (await isOld(permit)) await unlinkIfThere(permit)
    return
  }
  try {
    if ((await textOf(lock)) === text) await unlinkIfThere(lock)
  } finally {
    await unlinkIfThere(permit)
  }
}

async function isOld(path: string): Promise<boolean> {
  try {
    return Date.now() - (await stat(path)).mtimeMs > DEAD_MS
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

async function textOf(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'latin1')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
