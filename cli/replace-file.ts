/** Puts new text into a file that a person owns: whole or not at all, its owner and permissions kept. */
import { randomBytes } from 'node:crypto'
import { chown, open, realpath, rename, stat, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncDirectory, unlinkIfThere } from '../src/directory/small-file.js'

/** A symbolic link stays one: what it points to is replaced. */
export async function replaceFile(file: string, text: string): Promise<void> {
  const path = await realpath(file)
  const temporary = join(dirname(path), `.tmp-${randomBytes(8).toString('hex')}`)
  try {
    await writeLike(path, temporary, text)
    await rename(temporary, path)
  } catch (error) {
    await unlinkIfThere(temporary)
    throw error
  }
  await syncDirectory(dirname(path))
}

async function writeLike(original: string, path: string, text: string): Promise<void> {
  const { mode, uid, gid } = await stat(original)
  const handle = await open(path, 'wx', 0o600)
  try {
    if (process.getuid?.() === 0) await chown(path, uid, gid)
    await writeSynced(handle, text, mode & 0o777)
  } finally {
    await handle.close()
  }
}

async function writeSynced(handle: FileHandle, text: string, mode: number): Promise<void> {
  await handle.writeFile(text)
  await handle.chmod(mode)
  await handle.sync()
}
