/** What root makes in a domain belongs to the owner of the domain, or the server could not read it. */
import { constants } from 'node:fs'
import { open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { errorCode } from '../maildir/maildir.js'
import { Exit, Failure } from './exit.js'

/** Opening a FIFO must not wait for somebody at its other end. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

/**
 * Gives files to the owner of a directory; does nothing unless we are root. The
 * owner can put links into it at any moment, so what changes hands is an open
 * file whose place was looked at after it was opened.
 * @param paths in that directory
 * @throws Failure or the system's error at a link: what it points to must not change hands
 */
export async function giveToOwnerOf(directory: string, paths: readonly string[]): Promise<void> {
  if (process.getuid?.() !== 0) return
  const real = await realpath(directory)
  const owner = await stat(real)
  for (const path of paths) await give(path, join(real, relative(directory, path)), owner)
}

async function give(
  path: string,
  place: string,
  { uid, gid }: { readonly uid: number; readonly gid: number },
): Promise<void> {
  const handle = await open(path, AS_IT_IS)
  try {
    const facts = await handle.stat()
    if (facts.uid === uid && facts.gid === gid) return
    if (!(await isOnlyAt(place, handle))) {
      throw new Failure(Exit.cannotCreate, `${path}: a link to what lies elsewhere; remove it`)
    }
    await handle.chown(uid, gid)
  } finally {
    await handle.close()
  }
}

/** False if the way led through a symbolic link, or a file has a second name somewhere. */
async function isOnlyAt(place: string, handle: FileHandle): Promise<boolean> {
  const facts = await handle.stat()
  if (!facts.isDirectory() && facts.nlink > 1) return false
  const found = await placeOf(handle)
  return found === null || found === place
}

/** As the kernel knows it; `null` on a system that does not tell. */
async function placeOf({ fd }: FileHandle): Promise<string | null> {
  try {
    return await readlink(`/proc/self/fd/${fd}`)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}
