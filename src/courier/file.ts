/**
 * Brings mail to mbox files, as `/path` in an alias asks for: under the dot
 * lock, synced to the disk, and cut back to what was there if it fails. An
 * mbox has no tmp/: a power cut in the middle leaves a part of a message,
 * which was never acknowledged.
 */
import type { FileHandle } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { FileTarget } from '../directory/directory.js'
import type { Log } from '../log/log.js'
import { formatAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { misconfigured, type Refusal } from '../mail/refusal.js'
import type { TargetCourier } from './courier.js'
import type { Deadline } from './deadline.js'
import { answered, each } from './each.js'
import { quoted, separator } from './mbox-bytes.js'
import { lockMbox } from './mbox-lock.js'
import { type DirectoryOf, ownerIfRoot, requireDirectoryOf } from './owner.js'
import { type Appendable, openFolder, openToAppend } from './safe-file.js'
import { refusalOfSystem } from './system-error.js'
import { traced } from './trace.js'
import { Turns } from './turns.js'

const LF = 10
/** What every mbox file begins with. */
const MBOX = Buffer.from('From ')

export interface FileOptions {
  readonly directoryOf: DirectoryOf
  readonly log: Log
}

export class FileCourier implements TargetCourier<FileTarget> {
  readonly #options: FileOptions
  readonly #turns = new Turns()

  constructor(options: FileOptions) {
    this.#options = options
  }

  deliver(
    targets: readonly FileTarget[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<(Refusal | null)[]> {
    return each(targets, (target) =>
      answered(deadline, () => this.#deliver(target, envelope, message, deadline)),
    )
  }

  async #deliver(
    target: FileTarget,
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<void> {
    const { path, of } = target
    try {
      await this.#turns.take(path, () => this.#append(target, envelope, message, deadline))
    } catch (error) {
      throw refusalOfSystem(error)
    }
    const fields = { id: envelope.id, file: path, of: formatAddress(of) }
    this.#options.log.info('file delivered', fields)
  }

  async #append(
    { path, of }: FileTarget,
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<void> {
    // It may have waited for its turn, and again for the lock.
    deadline.require()
    const owner = await ownerIfRoot(requireDirectoryOf(this.#options.directoryOf, of.domain))
    const folder = await openFolder(path, owner)
    try {
      const unlock = await lockMbox(join(folder.path, basename(path)))
      try {
        deadline.require()
        const file = await openToAppend(folder, path, owner)
        await requireMbox(file, path)
        await writeTo(file.handle, file.size, envelope, traced(of, envelope, message))
        if (file.fresh) await folder.handle.sync()
      } finally {
        await unlock()
      }
    } finally {
      await folder.handle.close()
    }
  }
}

/** Whoever names /etc/passwd by mistake shall not lose it. @throws Refusal, and closes the file then */
async function requireMbox({ handle, size }: Appendable, path: string): Promise<void> {
  if (size === 0) return
  const start = Buffer.alloc(MBOX.length)
  try {
    await handle.read(start, 0, start.length, 0)
  } catch (error) {
    await handle.close()
    throw error
  }
  if (start.equals(MBOX)) return
  await handle.close()
  throw misconfigured(new Error(`${path}: no mbox file, it does not begin with "From "`))
}

/** Appends, syncs and closes; or leaves the file as it was. */
async function writeTo(
  file: FileHandle,
  size: number,
  envelope: Envelope,
  message: Message,
): Promise<void> {
  try {
    await append(file, await gap(file, size))
    await append(file, separator(envelope.from, new Date()))
    for await (const piece of quoted(message)) await append(file, piece)
    await file.sync()
  } catch (error) {
    await cutBack(file, size)
    throw error
  } finally {
    await file.close()
  }
}

async function append(file: FileHandle, bytes: Buffer): Promise<void> {
  if (bytes.length > 0) await file.appendFile(bytes)
}

/** What is missing until an empty line stands before the next message. */
async function gap(file: FileHandle, size: number): Promise<Buffer> {
  if (size === 0) return Buffer.alloc(0)
  const end = Buffer.alloc(Math.min(size, 2))
  await file.read(end, 0, end.length, size - end.length)
  if (end.at(-1) !== LF) return Buffer.from('\n\n')
  return end[0] === LF && end.length === 2 ? Buffer.alloc(0) : Buffer.from('\n')
}

/** An error here must not hide the one that led here. */
async function cutBack(file: FileHandle, size: number): Promise<void> {
  try {
    await file.truncate(size)
  } catch {
    // What is left was never acknowledged.
  }
}
