/** The body file of a message that waits: writing a large one, and reading it as often as it is asked for. */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import type { Bytes, Message } from '../mail/message.js'
import { StrangeFile } from './disk-failure.js'

const { O_CREAT, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_TRUNC, O_WRONLY } = constants
/** Octets that are read at a time. */
const BLOCK = 64 * 1024

/** The content is not as long as it was said to be. */
export class WrongSize extends Error {
  override readonly name = 'WrongSize'
}

/** All pieces in one buffer of their own, with room behind them. @throws WrongSize */
export function gather(content: Iterable<Buffer>, size: number, room: number): Buffer {
  const bytes = Buffer.allocUnsafeSlow(size + room)
  let at = 0
  for (const piece of content) {
    if (at + piece.length > size) throw new WrongSize('the content is longer than it said')
    at += piece.copy(bytes, at)
  }
  if (at < size) throw new WrongSize('the content is shorter than it said')
  return bytes
}

/**
 * Writes it and waits until it is on the disk. The caller removes what is left when this throws.
 * @throws WrongSize, what the content throws, or what the disk says
 */
export async function writeBody(path: string, size: number, content: Bytes): Promise<void> {
  const file = await open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600)
  try {
    let left = size
    for await (const piece of content) {
      left -= piece.length
      if (left < 0) throw new WrongSize('the content is longer than it said')
      await file.writeFile(piece)
    }
    if (left > 0) throw new WrongSize('the content is shorter than it said')
    // Once: after one that failed the next would lie.
    await file.sync()
  } finally {
    await file.close()
  }
}

/** A message in a file. Reading it throws what the disk says, and StrangeFile when the file is not as it was written. */
export function messageIn(path: string, size: number, lines: number): Message {
  return { size, lines, open: () => blocks(path, size) }
}

async function* blocks(path: string, size: number): AsyncGenerator<Buffer, void, void> {
  const file = await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  try {
    const stats = await file.stat()
    if (!stats.isFile() || stats.size !== size) throw changed()
    for (let at = 0; at < size;) {
      const block = await readBlock(file, at, Math.min(BLOCK, size - at))
      at += block.length
      yield block
    }
  } finally {
    await file.close()
  }
}

async function readBlock(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(block, 0, length, at)
  if (bytesRead === 0) throw changed()
  return block.subarray(0, bytesRead)
}

const changed = () => new StrangeFile('the body is not as long as it was written')
