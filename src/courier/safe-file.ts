/**
 * Opens a file that an alias names. As root nobody may be fooled: the way to
 * it must be root's or the domain owner's, and the file itself the owner's,
 * with one name and no link; so whoever writes the aliases reaches what is
 * theirs, and no more.
 */
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, realpath } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { misconfigured } from '../mail/refusal.js'
import type { Owner } from './owner.js'
import { codeOf } from './system-error.js'

const { O_APPEND, O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_RDWR } =
  constants
const OTHERS_WRITE = 0o022
const STICKY = 0o1000

/** A directory that stays the same one, whatever becomes of its name. */
export interface Folder {
  /** Valid while the folder is open. */
  readonly path: string
  readonly handle: FileHandle
}

/** A file, ready to be appended to. */
export interface Appendable {
  readonly handle: FileHandle
  /** Octets. */
  readonly size: number
  /** It was not there: the directory has to be synced, too. */
  readonly fresh: boolean
}

/**
 * Opens the directory that the file is in.
 * @param owner `null` unless this process is root
 * @throws Refusal, or the system's error
 */
export async function openFolder(file: string, owner: Owner | null): Promise<Folder> {
  const real = await realpath(dirname(file))
  if (owner !== null) await requireTrusted(real, owner)
  const handle = await open(real, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
  try {
    const { uid } = await handle.stat()
    if (owner !== null && uid !== owner.uid) throw notTheirs(real)
    return { path: await fixedPath(handle, real), handle }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/**
 * @param folder where it is
 * @param file as the alias names it
 * @throws Refusal when it is no such file, or the system's error
 */
export async function openToAppend(
  folder: Folder,
  file: string,
  owner: Owner | null,
): Promise<Appendable> {
  const path = join(folder.path, basename(file))
  const { handle, fresh } = await openOrMake(path)
  try {
    if (fresh && owner !== null) await handle.chown(owner.uid, owner.gid)
    const stats = await handle.stat()
    if (!stats.isFile()) throw misconfigured(new Error(`${file}: not a regular file`))
    if (stats.nlink !== 1) throw misconfigured(new Error(`${file}: it has several names (links)`))
    if (owner !== null && stats.uid !== owner.uid) throw notTheirs(file)
    return { handle, size: stats.size, fresh }
  } catch (error) {
    await handle.close()
    throw error
  }
}

/** O_NONBLOCK: opening a FIFO must not wait until somebody reads it. */
async function openOrMake(path: string): Promise<{ handle: FileHandle; fresh: boolean }> {
  const flags = O_RDWR | O_APPEND | O_NOFOLLOW | O_NONBLOCK
  try {
    return { handle: await open(path, flags | O_CREAT | O_EXCL, 0o600), fresh: true }
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
  return { handle: await open(path, flags), fresh: false }
}

/** Whoever may rename a directory on the way can make it lead elsewhere. */
async function requireTrusted(directory: string, { uid }: Owner): Promise<void> {
  for (let at = directory; ; at = dirname(at)) {
    const stats = await lstat(at)
    const loose = (stats.mode & OTHERS_WRITE) !== 0 && (stats.mode & STICKY) === 0
    if (!stats.isDirectory() || loose || (stats.uid !== 0 && stats.uid !== uid)) throw notTheirs(at)
    if (at === dirname(at)) return
  }
}

/** Linux can name a directory that is open; elsewhere its name has to do. */
async function fixedPath({ fd }: FileHandle, real: string): Promise<string> {
  const fixed = `/proc/self/fd/${fd}`
  try {
    await lstat(fixed)
    return fixed
  } catch {
    return real
  }
}

const notTheirs = (path: string) =>
  misconfigured(new Error(`${path}: others than the domain's owner may change it, or own it`))
