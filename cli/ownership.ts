/** What root makes in a domain belongs to the owner of the domain, or the server could not read it. */
import { constants } from 'node:fs'
import { open, readlink, realpath, stat, type FileHandle } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { errorCode } from '../maildir/maildir.js'
import { Exit, Failure } from './exit.js'

/** Opening a FIFO must not wait for somebody at its other end. */
const AS_IT_IS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK

interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Gives files to the owner of a directory; does nothing unless we are root. The
 * owner can put links into it at any moment, so what changes hands is an open
 * file whose place was looked at after it was opened. What is gone meanwhile
 * needs no owner.
 * @param paths in that directory
 * @throws Failure or the system's error at a link: what it points to must not change hands
 */
export async function giveToOwnerOf(directory: string, paths: readonly string[]): Promise<void> {
  await forForeign(directory, paths, (handle, { uid, gid }) => handle.chown(uid, gid))
}

/** Changes nothing. @throws what `giveToOwnerOf` would throw of these paths */
export async function requireGivable(directory: string, paths: readonly string[]): Promise<void> {
  await forForeign(directory, paths, async () => {})
}

/** For those that belong to somebody else and may change hands. */
async function forForeign(
  directory: string,
  paths: readonly string[],
  act: (handle: FileHandle, owner: Owner) => Promise<void>,
): Promise<void> {
  if (process.getuid?.() !== 0) return
  const real = await realpath(directory)
  const owner = await stat(real)
  for (const path of paths) {
    const handle = await openIfThere(path)
    try {
      if (handle === null || isTheirs(await handle.stat(), owner)) continue
      await requireOnlyAt(join(real, relative(directory, path)), path, handle)
      await act(handle, owner)
    } finally {
      await handle?.close()
    }
  }
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, AS_IT_IS)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

const isTheirs = (facts: Owner, owner: Owner): boolean =>
  facts.uid === owner.uid && facts.gid === owner.gid

/** @throws Failure if the way led through a symbolic link, or a file has a second name somewhere */
async function requireOnlyAt(place: string, path: string, handle: FileHandle): Promise<void> {
  const facts = await handle.stat()
  if (!facts.isDirectory() && facts.nlink > 1) {
    const what = `${path}: belongs to uid ${facts.uid} and has a second name elsewhere (a hard link)`
    const how = 'so it is not given away; put a copy in its place, or chown it by hand'
    throw new Failure(Exit.cannotCreate, `${what}, ${how}`)
  }
  const found = await placeOf(handle)
  if (found === null || found === place) return
  throw new Failure(Exit.cannotCreate, `${path}: a link to what lies elsewhere; remove it`)
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
