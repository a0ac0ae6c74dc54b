/**
 * Reads a file of the maildrop. Its owner may still have it open and change it, so what is handed
 * on is a copy of our own, checked while it was made.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { countLines, fromBuffer, type Message } from '../mail/message.js'
import { messageIn, writeBody } from './body-file.js'
import { codeOf } from './disk-failure.js'
import { type Drop, MAX_DROP_LINE, parseDrop } from './drop-file.js'
import { Misshapen } from './shape.js'

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = constants
/** Octets of a message that is held in memory. */
const MAX_SMALL = 1024 * 1024
/** Octets that are read at a time. */
const BLOCK = 64 * 1024
const LF = 10
const CR = 13
const NUL = 0
/** Names of copies in the directory for temporary files. */
export const COPY_PREFIX = 'maildrop-'
/** What the system says of what is no file, or of a file that was made so that we cannot read it. */
const NO_FILE = new Set(['ELOOP', 'ENXIO', 'EISDIR', 'EACCES'])

/** This file is no mail: it is never tried again. */
export class BadDrop extends Error {
  override readonly name = 'BadDrop'
}

export interface TakenDrop {
  /** Made from what the file is: the same each time it is read, so that a crash makes no second message. */
  readonly id: string
  /** Who wrote it. */
  readonly uid: number
  readonly drop: Drop
  readonly message: Message
  /** Gives up the copy. */
  discard(): Promise<void>
}

export interface DropLimits {
  /** Octets of a message on the wire. */
  readonly maxSize: number
  /** For copies of what is large. */
  readonly temporaryDirectory: string
}

/**
 * @returns `null` when it is gone
 * @throws BadDrop, what the disk says, or an Error for a file that only a later version can read
 */
export async function takeDrop(
  directory: string,
  name: string,
  limits: DropLimits,
): Promise<TakenDrop | null> {
  const file = await openFile(join(directory, name))
  if (file === null) return null
  try {
    const stats = await requireOwnFile(file, limits)
    const { drop, start } = await readHead(file)
    const copy = await copied(file, start, drop.size, limits)
    return { id: idOf(name, stats), uid: Number(stats.uid), drop, ...copy }
  } catch (error) {
    throw error instanceof Misshapen ? new BadDrop(error.message, { cause: error }) : error
  } finally {
    await file.close()
  }
}

async function openFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return null
    if (code !== null && NO_FILE.has(code)) throw new BadDrop(code, { cause: error })
    throw error
  }
}

/** A second name could be a file of somebody else's that a user put there for us to send to him. */
async function requireOwnFile(file: FileHandle, { maxSize }: DropLimits): Promise<BigIntStats> {
  const stats = await file.stat({ bigint: true })
  if (!stats.isFile()) throw new BadDrop('not a regular file')
  if (stats.nlink !== 1n) throw new BadDrop('it has a second name (a hard link)')
  if (stats.size > BigInt(maxSize + MAX_DROP_LINE)) throw new BadDrop('too large')
  return stats
}

async function readHead(file: FileHandle): Promise<{ drop: Drop; start: number }> {
  const pieces: Buffer[] = []
  for (let at = 0; at < MAX_DROP_LINE;) {
    const block = await readBlock(file, at, BLOCK)
    if (block.length === 0) break
    const lf = block.indexOf(LF)
    pieces.push(lf === -1 ? block : block.subarray(0, lf))
    at += lf === -1 ? block.length : lf + 1
    if (lf === -1) continue
    const drop = parseDrop(Buffer.concat(pieces))
    if (drop === null) throw new Error('a later version of mailtap wrote it')
    return { drop, start: at }
  }
  throw new BadDrop('there is no first line')
}

async function readBlock(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const block = Buffer.allocUnsafe(length)
  const { bytesRead } = await file.read(block, 0, length, at)
  return block.subarray(0, bytesRead)
}

type Copy = Pick<TakenDrop, 'message' | 'discard'>

async function copied(
  file: FileHandle,
  start: number,
  size: number,
  { maxSize, temporaryDirectory }: DropLimits,
): Promise<Copy> {
  const checked = new Checked(file, start, size)
  if (size > maxSize) throw new BadDrop(`larger than the limit of ${maxSize} octets`)
  if (size <= MAX_SMALL) {
    const pieces: Buffer[] = []
    for await (const piece of checked.pieces()) pieces.push(piece)
    return { message: fromBuffer(Buffer.concat(pieces), checked.lines), discard: async () => {} }
  }
  const path = join(temporaryDirectory, COPY_PREFIX + randomBytes(12).toString('hex'))
  const discard = (): Promise<void> => unlink(path)
  try {
    await writeBody(path, size, checked.pieces())
  } catch (error) {
    await discard().catch(() => {})
    throw error
  }
  return { message: messageIn(path, size, checked.lines), discard }
}

/** The message behind the first line: as long as it says, with nothing in it that a message may not hold. */
class Checked {
  readonly #file: FileHandle
  readonly #start: number
  readonly #size: number
  lines = 0

  constructor(file: FileHandle, start: number, size: number) {
    this.#file = file
    this.#start = start
    this.#size = size
  }

  async *pieces(): AsyncGenerator<Buffer> {
    let at = 0
    while (at < this.#size) {
      const wanted = Math.min(BLOCK, this.#size - at)
      const piece = await readBlock(this.#file, this.#start + at, wanted)
      if (piece.length === 0) throw new BadDrop('shorter than it says')
      if (piece.includes(CR) || piece.includes(NUL)) throw new BadDrop('it holds CR or NUL')
      this.lines += countLines(piece)
      at += piece.length
      yield piece
    }
    if ((await readBlock(this.#file, this.#start + at, 1)).length > 0) {
      throw new BadDrop('longer than it says')
    }
  }
}

/** Digits of an id. */
const ID_DIGITS = 16

function idOf(name: string, { uid, ino, mtimeNs }: BigIntStats): string {
  const digest = createHash('sha256').update(`${name} ${uid} ${ino} ${mtimeNs}`).digest('hex')
  return `D${digest.slice(0, ID_DIGITS).toUpperCase()}`
}
