/** Reads a small file that somebody named on the command line; it may be a pipe (`<(pass show mail)`). */
import { open } from 'node:fs/promises'
import { errorCode } from '../maildir/maildir.js'
import { Exit, Failure } from './exit.js'

/**
 * @param limit bytes; what comes after them is not read
 * @throws Failure when there is no such file, or it is a directory
 */
export async function readStart(file: string, limit: number): Promise<Buffer> {
  try {
    return await read(file, limit)
  } catch (error) {
    const why = { ENOENT: 'no such file', EISDIR: 'a directory, not a file' }[
      errorCode(error) ?? ''
    ]
    if (why === undefined) throw error
    throw new Failure(Exit.badData, `${file}: ${why}; correct the path`, { cause: error })
  }
}

async function read(file: string, limit: number): Promise<Buffer> {
  const handle = await open(file)
  try {
    const buffer = Buffer.alloc(limit)
    let length = 0
    while (length < limit) {
      // Where the file stands: a pipe has no other positions.
      const { bytesRead } = await handle.read(buffer, length, limit - length, null)
      if (bytesRead === 0) break
      length += bytesRead
    }
    return buffer.subarray(0, length)
  } finally {
    await handle.close()
  }
}
