/**
 * Large messages on their way from a worker to the primary: files in the directory for temporary
 * ones, not synced. They are copies: what a crash leaves of them is of no use to anybody.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { open, readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Message } from '../mail/message.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
const NAME = /^parcel-(\d{1,10})-[0-9a-f]{24}$/

/** @returns its name. @throws what the content throws, or what the disk says; nothing is left then */
export async function writeParcel(directory: string, message: Message): Promise<string> {
  const name = `parcel-${process.pid}-${randomBytes(12).toString('hex')}`
  const path = join(directory, name)
  const file = await open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  try {
    for await (const piece of message.open()) await file.writeFile(piece)
  } catch (error) {
    await removeParcel(path)
    throw error
  } finally {
    await file.close()
  }
  return name
}

/** Where a parcel lies. @throws Error when that is no name of one */
export function parcelAt(directory: string, name: string): string {
  if (!NAME.test(name)) throw new Error('no parcel has such a name')
  return join(directory, name)
}

/** Never rejects: what is left is cleared away with the rest. */
export async function removeParcel(path: string): Promise<void> {
  await unlink(path).catch(() => {})
}

/** Removes what a worker left; `null` = what any of them left. Never rejects. */
export async function clearParcels(directory: string, pid: number | null): Promise<void> {
  const names = await readdir(directory).catch(() => [])
  const left = names.filter((name) => {
    const of = NAME.exec(name)?.[1]
    return of !== undefined && (pid === null || Number(of) === pid)
  })
  for (const name of left) await removeParcel(join(directory, name))
}
