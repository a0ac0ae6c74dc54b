/**
 * The file in which greylisting keeps what it knows: a line for each entry, its
 * key and three numbers. It is written anew each time, beside the old one, and
 * takes its place when it is on the disk.
 */
import { constants } from 'node:fs'
import { type FileHandle, open, rename } from 'node:fs/promises'
import { dirname } from 'node:path'

/** Times in seconds since 1970. */
export interface Entry {
  readonly since: number
  readonly seen: number
  readonly passes: number
}

const LINE = /^([\w-]{20}) (\d{1,12}) (\d{1,12}) (\d{1,9})$/
/** Octets of the longest line that fits. */
const MAX_LINE = 60
/** Entries that become text in one go: others shall not wait for all of them. */
const BATCH = 5_000

/**
 * @param max entries that are taken at most
 * @returns what the file says, in its order; nothing if there is none; lines that say nothing are left out
 * @throws the system's errors
 */
export async function loadEntries(path: string, max: number): Promise<Map<string, Entry>> {
  const entries = new Map<string, Entry>()
  const file = await openIfThere(path)
  if (file === null) return entries
  try {
    for await (const text of file.readLines({ encoding: 'latin1', end: max * MAX_LINE })) {
      const match = LINE.exec(text)
      if (match === null || entries.size >= max) continue
      const [since, seen, passes] = match.slice(2).map(Number) as [number, number, number]
      entries.set(match[1]!, { since, seen, passes })
    }
  } finally {
    await file.close()
  }
  return entries
}

/** @throws the system's errors; the old file is still there then */
export async function saveEntries(
  path: string,
  entries: readonly (readonly [string, Entry])[],
): Promise<void> {
  const temporary = `${path}.new`
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants
  const file = await open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
  try {
    for (let at = 0; at < entries.length; at += BATCH) {
      await file.appendFile(
        entries
          .slice(at, at + BATCH)
          .map(line)
          .join(''),
      )
    }
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncDirectory(dirname(path))
}

function line([key, { since, seen, passes }]: readonly [string, Entry]): string {
  return `${key} ${since} ${seen} ${passes}\n`
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
