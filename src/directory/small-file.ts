/**
 * Small files of settings: read without following links or waiting for
 * anybody, written so that a reader (or a power cut) meets the old file or the
 * new one, never half of one.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { link, open, rename, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from './error-code.js'

export interface SmallFile {
  readonly text: string
  /** Permission bits and file type, as in stat(2). */
  readonly mode: number
  /** The user id that owns the file. */
  readonly owner: number
  /** Differs whenever the file was changed or replaced. */
  readonly stamp: string
  /** When anything of it was changed last, in milliseconds since 1970. */
  readonly changedMs: number
}

/** What has that name must not be read or written; the message names it and says why. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
}

export interface ReadOptions {
  /** Bytes; a larger file is refused. */
  readonly limit: number
  /** False: a symbolic link as the last part of the path is refused. */
  readonly followLink: boolean
}

/**
 * Reads a whole file as UTF-8.
 * @throws FileRefused, or the system's error: ELOOP at a link that is not followed
 */
export async function readSmallFile(path: string, options: ReadOptions): Promise<SmallFile> {
  // O_NONBLOCK: opening a FIFO must not wait until somebody writes to it.
  const flags = constants.O_RDONLY | constants.O_NONBLOCK
  const file = await open(path, options.followLink ? flags : flags | constants.O_NOFOLLOW)
  try {
    const stat = await file.stat({ bigint: true })
    if (!stat.isFile()) throw new FileRefused(`${path}: not a regular file`)
    const bytes = await readAtMost(file, options.limit + 1)
    if (bytes.length > options.limit) {
      throw new FileRefused(`${path}: larger than the limit of ${options.limit} bytes`)
    }
    return {
      text: decode(bytes, path),
      mode: Number(stat.mode),
      owner: Number(stat.uid),
      stamp: stampOf(stat),
      changedMs: Number(stat.ctimeMs),
    }
  } finally {
    await file.close()
  }
}

/** What tells one state of a file from another. The change time also sees a chmod. */
export function stampOf(stat: StampParts): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
}

interface StampParts {
  readonly dev: bigint
  readonly ino: bigint
  readonly size: bigint
  readonly mtimeNs: bigint
  readonly ctimeNs: bigint
}

/** Whom a file belongs to, as numbers. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/**
 * Writes a file, mode 0600. When this resolves it survives a power cut.
 * @param exclusive fail with EEXIST rather than replace a file
 * @param owner whom it shall belong to; without one it is ours
 * @throws also EPERM when it cannot be given to that owner: then nothing was written
 */
export async function writeSmallFile(
  directory: string,
  name: string,
  text: string,
  exclusive = false,
  owner: Owner | null = null,
): Promise<void> {
  // Begins with a dot: whoever lists the directory meanwhile takes it for nobody.
  const temporary = join(directory, `.tmp-${randomBytes(8).toString('hex')}`)
  try {
    await writeSynced(temporary, text, owner)
    await (exclusive ? link : rename)(temporary, join(directory, name))
  } catch (error) {
    await unlinkIfThere(temporary)
    throw error
  }
  if (exclusive) await unlink(temporary)
  await syncDirectory(directory)
}

/** Makes what was created, renamed or removed in a directory survive a power cut. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** @returns false if there was none */
export async function unlinkIfThere(path: string): Promise<boolean> {
  try {
    await unlink(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

async function writeSynced(path: string, text: string, owner: Owner | null): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    await file.writeFile(text)
    if (owner !== null) await file.chown(owner.uid, owner.gid)
    await file.sync()
  } finally {
    await file.close()
  }
}

/** Not by the size that stat(2) says: a file may grow, and some say 0. */
async function readAtMost(file: Awaited<ReturnType<typeof open>>, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let left = limit
  while (left > 0) {
    const chunk = Buffer.allocUnsafe(Math.min(left, 16_384))
    const { bytesRead } = await file.read(chunk, 0, chunk.length)
    if (bytesRead === 0) break
    chunks.push(chunk.subarray(0, bytesRead))
    left -= bytesRead
  }
  return Buffer.concat(chunks)
}

function decode(bytes: Buffer, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new FileRefused(`${path}: not UTF-8`, { cause: error })
  }
}
