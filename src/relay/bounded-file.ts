/** Reads a small file that the settings name, and never more of it than anybody needs. */
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** The file is of no use; the message names it and says why, never what is in it. */
export class FileUnusable extends Error {
  override readonly name = 'FileUnusable'
}

export interface BoundedFile {
  readonly text: string
  /** Permission bits, as in stat(2). */
  readonly mode: number
}

/**
 * @param limit octets
 * @throws FileUnusable, with the system's error as its cause if that is the reason
 */
export async function readBounded(path: string, limit: number): Promise<BoundedFile> {
  try {
    return await read(path, limit)
  } catch (error) {
    if (error instanceof FileUnusable) throw error
    throw new FileUnusable(`${path} cannot be read`, { cause: error })
  }
}

async function read(path: string, limit: number): Promise<BoundedFile> {
  // O_NONBLOCK: opening a FIFO must not wait until somebody writes to it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const stat = await file.stat()
    if (!stat.isFile()) throw new FileUnusable(`${path}: not a regular file`)
    const bytes = await readStart(file, limit + 1)
    if (bytes.length > limit) throw new FileUnusable(`${path}: longer than ${limit} bytes`)
    return { text: decoded(path, bytes), mode: stat.mode & 0o777 }
  } finally {
    await file.close()
  }
}

/** Not by the size that stat(2) says: a file may grow. */
async function readStart(file: FileHandle, limit: number): Promise<Buffer> {
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

function decoded(path: string, bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw new FileUnusable(`${path}: not UTF-8`, { cause: error })
  }
}
