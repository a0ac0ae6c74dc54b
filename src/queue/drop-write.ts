/** Puts a message into the maildrop: for programs that hand over mail whether a server runs or not. */
import { constants } from 'node:fs'
import { type FileHandle, open, rename, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Message } from '../mail/message.js'
import { codeOf } from './disk-failure.js'
import { type Drop, formatDrop } from './drop-file.js'
import { DROP_DRAFT, newDropName } from './drop-place.js'
import { syncDirectory } from './shards.js'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants
const PRIVATE = 0o600
/** For the group of the directory, which is the server's: see drop-place.ts. */
const FOR_GROUP = 0o640
/** Where no group can help: nobody knows the name, and nobody can list the directory. */
const FOR_WHO_KNOWS = 0o644

/**
 * Durable when resolved; nothing is left when it throws.
 * @param directory the maildrop
 * @throws Misshapen, what the content throws, or what the disk says
 */
export async function dropInto(
  directory: string,
  envelope: Omit<Drop, 'size'>,
  message: Message,
): Promise<void> {
  const path = join(directory, newDropName())
  const draft = path + DROP_DRAFT
  const head = formatDrop({ ...envelope, size: message.size })
  const file = await open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, PRIVATE)
  try {
    await readable(file, directory)
    await file.writeFile(head)
    for await (const piece of message.open()) await file.writeFile(piece)
    await file.sync()
    await rename(draft, path)
    await settle(file, directory)
  } catch (error) {
    // The error that led here is the one to tell; the server clears away what is left.
    for (const left of [draft, path]) await unlink(left).catch(() => {})
    throw error
  } finally {
    await file.close()
  }
}

/** Lets the server read it, who is in the directory's group or owns all. */
async function readable(file: FileHandle, directory: string): Promise<void> {
  const [own, place] = [await file.stat(), await stat(directory)]
  await file.chmod(own.gid === place.gid ? FOR_GROUP : FOR_WHO_KNOWS)
}

/**
 * Makes the new name durable. Whoever may not list the directory cannot fsync it either; an fsync
 * of the file that was renamed carries its new name with it on ext4, XFS, Btrfs and F2FS, whose
 * journals keep the order of a file's changes.
 */
async function settle(file: FileHandle, directory: string): Promise<void> {
  await file.sync()
  try {
    await syncDirectory(directory)
  } catch (error) {
    if (codeOf(error) !== 'EACCES') throw error
  }
}
