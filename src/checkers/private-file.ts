/**
 * Files with secrets in them that a checker's argument names: read whole and bounded, and refused
 * when others of this machine could have read or written them.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

/** Octets of a file with one password or token. */
const MAX_SECRET = 4_096
const OTHERS = 0o007
const GROUP_WRITES = 0o020
const ROOT = 0

export interface PrivateFile {
  readonly bytes: Buffer
  /** Differs whenever the file was changed or replaced. */
  readonly stamp: string
}

export interface Privacy {
  readonly followLink: boolean
  /** False for files that the system itself keeps readable to a group, or to all. */
  readonly secret: boolean
}

const SECRET: Privacy = { followLink: false, secret: true }

/** A file that must not be used as it is; the message names it and says why. */
export class FileRefused extends Error {
  override readonly name = 'FileRefused'
}

/**
 * Reads a whole file, unless it is as it was.
 * @param limit octets; a larger file is refused
 * @param stamp of the copy that the caller has
 * @returns `null` if the copy is still good
 * @throws FileRefused, or the system's error
 */
export async function readPrivate(
  path: string,
  limit: number,
  stamp: string | null = null,
  privacy: Privacy = SECRET,
): Promise<PrivateFile | null> {
  const link = privacy.followLink ? 0 : constants.O_NOFOLLOW
  // O_NONBLOCK: opening a FIFO must not wait until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | link)
  try {
    const stat = await file.stat({ bigint: true })
    if (!stat.isFile()) throw new FileRefused(`${path}: not a regular file`)
    if (privacy.secret) checkOwner(path, Number(stat.mode), Number(stat.uid))
    const now = `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`
    if (now === stamp) return null
    return { bytes: await allOf(file, path, limit), stamp: now }
  } finally {
    await file.close()
  }
}

/** The password or token in a file: all of it but a line end. @throws FileRefused, or the system's error */
export async function secretIn(path: string): Promise<string> {
  const file = await readPrivate(path, MAX_SECRET)
  const text = file?.bytes.toString().replace(/\r?\n$/, '') ?? ''
  if (text === '') throw new FileRefused(`${path}: empty`)
  return text
}

/** @throws FileRefused */
function checkOwner(path: string, mode: number, uid: number): void {
  if (uid !== ROOT && uid !== process.geteuid?.()) {
    throw new FileRefused(`${path}: belongs to somebody else (user id ${uid})`)
  }
  if ((mode & OTHERS) === 0 && (mode & GROUP_WRITES) === 0) return
  throw new FileRefused(`${path}: others of this machine can get at it; run: chmod 600 ${path}`)
}

async function allOf(file: FileHandle, path: string, limit: number): Promise<Buffer> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of file.createReadStream({ autoClose: false, end: limit })) {
    pieces.push(piece as Buffer)
    size += (piece as Buffer).length
    if (size > limit) throw new FileRefused(`${path}: larger than the limit of ${limit} bytes`)
  }
  return Buffer.concat(pieces)
}
