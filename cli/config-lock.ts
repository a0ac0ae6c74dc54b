/**
 * One process at a time changes a config: it puts a file beside it that says
 * who it is. A file whose process is gone holds nobody up. It is removed by
 * the one process that could make a second file, named after its content: so
 * it can not be taken for the file of whoever came next.
 */
import { createHash, randomBytes } from 'node:crypto'
import { readFile, realpath } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode } from '../maildir/maildir.js'
import { unlinkIfThere, writeSmallFile } from '../src/directory/small-file.js'
import { currentIncarnation, isRunning } from '../src/process/incarnation.js'
import { Exit, Failure } from './exit.js'

/** Milliseconds; making some users takes a second or two. */
const WAIT_MS = 20_000
const POLL_MS = 50
const FORM = /^(\d{1,10}) (\d+|-) ([0-9a-f-]{1,36}) [0-9a-f]{16}\n$/

/**
 * Does the work while nobody else does work on that config. For `waitMs` it waits for its turn.
 * @param config it may be missing, its directory not
 * @throws Failure when somebody else does not come to an end
 */
export async function changeConfig<T>(
  config: string,
  work: () => Promise<T>,
  waitMs = WAIT_MS,
): Promise<T> {
  const lock = await lockOf(config)
  await take(lock, config, performance.now() + waitMs)
  try {
    return await work()
  } finally {
    await unlinkIfThere(lock)
  }
}

/** The same for all links to one config. */
async function lockOf(config: string): Promise<string> {
  const file = await realpath(config).catch(() => resolve(config))
  return join(dirname(file), `.${basename(file)}.lock`)
}

async function take(lock: string, config: string, late: number): Promise<void> {
  while (!(await make(lock))) {
    await removeDead(lock)
    if (performance.now() > late) {
      const what = `${config}: another mailtap is changing it; try again, or remove ${lock} if none is`
      throw new Failure(Exit.tryLater, what)
    }
    await sleep(POLL_MS)
  }
}

/** With all its content at once. @returns false if there is one */
async function make(file: string): Promise<boolean> {
  const { pid, started, boot } = currentIncarnation()
  const text = `${pid} ${started} ${boot} ${randomBytes(8).toString('hex')}\n`
  try {
    await writeSmallFile(dirname(file), basename(file), text, true)
    return true
  } catch (error) {
    const code = errorCode(error) ?? ''
    if (code === 'EEXIST') return false
    if (!['EACCES', 'EPERM', 'EROFS'].includes(code)) throw error
    const what = `${dirname(file)}: nothing can be written there (${code}); run this as the owner of it`
    throw new Failure(Exit.noPermission, what, { cause: error })
  }
}

async function removeDead(lock: string): Promise<void> {
  const text = await textOf(lock)
  if (text === null || !isDead(text)) return
  const permit = `${lock}.${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  if (!(await make(permit))) return
  try {
    // It may have been removed, and a living one put there, before we had the permit.
    if ((await textOf(lock)) === text) await unlinkIfThere(lock)
  } finally {
    await unlinkIfThere(permit)
  }
}

/** What is no claim of ours is left to a person. */
function isDead(text: string): boolean {
  const [, pid, started, boot] = FORM.exec(text) ?? []
  if (pid === undefined || started === undefined || boot === undefined) return false
  return !isRunning({ pid: Number(pid), started, boot })
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'latin1')
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
