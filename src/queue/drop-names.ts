/** What waits in the maildrop: names of messages, and drafts that nobody will ever finish. */
import { lstat, opendir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf } from './disk-failure.js'
import { DROP_DRAFT, DROP_NAME } from './drop-place.js'

/** Names that are looked at in one round; any user of the machine can make more. */
export const MAX_LOOKED = 100_000
/** Messages of one round. */
const MAX_TAKEN = 1_000
/** Milliseconds after which whoever wrote a draft has given up. */
const DRAFT_MS = 86_400_000

export interface Waiting {
  /** Oldest first, as they were named. */
  readonly names: readonly string[]
  /** There are more. */
  readonly more: boolean
}

/**
 * @param wanted false for those that are not to be taken now
 * @throws what the disk says
 */
export async function dropsIn(
  directory: string,
  wanted: (name: string) => boolean,
): Promise<Waiting> {
  const names: string[] = []
  let looked = 0
  for await (const { name } of await opendir(directory)) {
    if (++looked > MAX_LOOKED) break
    if (name.endsWith(DROP_DRAFT)) await removeOld(join(directory, name))
    else if (DROP_NAME.test(name) && wanted(name)) names.push(name)
    if (names.length >= MAX_TAKEN) break
  }
  return { names: names.toSorted(), more: names.length >= MAX_TAKEN }
}

/** By the time of the last change, which no user can set. */
async function removeOld(path: string): Promise<void> {
  try {
    const { ctimeMs } = await lstat(path)
    if (Date.now() - ctimeMs > DRAFT_MS) await unlink(path)
  } catch (error) {
    // It is finished, or a directory, which hurts nobody.
    if (!['ENOENT', 'EISDIR', 'EPERM', 'ENOTEMPTY'].includes(codeOf(error) ?? '')) throw error
  }
}
