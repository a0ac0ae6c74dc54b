/** `.Trash`, the folder of deleted mail (Maildir++): made when the first message goes there, emptied by age. */
import fs from 'node:fs'
import { TRASH } from './count-now.js'
import { makeDirectory } from './directories.js'
import { errorCode } from './errors.js'
import { readers } from './reader-threads.js'
import { hasTrash } from './trash-now.js'
import { openFresh, syncDirectory } from './system.js'

/** No room for a directory: deleting is what makes room, so it goes on without a trash. */
const NO_ROOM = new Set(['ENOSPC', 'EDQUOT'])

/**
 * Makes the trash if there is none. Durable when it resolves.
 * @returns false if there is no room for it: then what is deleted goes for good
 * @throws NotAMaildir when something else has that name; the system's error
 */
export async function makeTrash(maildir: string): Promise<boolean> {
  if (hasTrash(maildir)) return true
  try {
    await makeFolder(`${maildir}/${TRASH}`)
  } catch (error) {
    if (NO_ROOM.has(errorCode(error) ?? '')) return false
    throw error
  }
  await syncDirectory(maildir)
  return true
}

/**
 * Removes for good what was deleted before that time, as it is known from the
 * files (ctime): a message whose flags were changed in the trash stays longer.
 * @param before milliseconds since 1970
 * @returns how many messages; a few thousand at most, so there may be more
 * @throws the system's error
 */
export function sweepTrash(maildir: string, before: number): Promise<number> {
  return readers.ask('sweep', { maildir, before })
}

/** Makes what was buried survive a power cut. */
export const syncTrash = (maildir: string): Promise<void> =>
  syncDirectory(`${maildir}/${TRASH}/cur`)

/** `maildirfolder` tells a delivery program that it is a folder, no Maildir of its own. */
async function makeFolder(path: string): Promise<void> {
  for (const each of [path, `${path}/tmp`, `${path}/new`, `${path}/cur`]) await makeDirectory(each)
  try {
    fs.closeSync(await openFresh(`${path}/maildirfolder`))
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
  }
  await syncDirectory(path)
}
