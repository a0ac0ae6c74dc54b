/**
 * Keeps a message while it arrives: a small one in memory, a large one in a
 * temporary file that has no name, so that a crash leaves nothing behind.
 */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { fromBuffer, type Message } from '../mail/message.js'

/** Up to here a message stays in memory. */
const MAX_IN_MEMORY = 65_536
/** A client that sends byte by byte must not make as many objects. */
const MAX_PIECES = 128
/** What gathers before it is written, and what is read at a time. */
const BLOCK = 131_072

export class Intake {
  readonly #directory: string
  #pieces: Buffer[] = []
  #pending = 0
  #size = 0
  #lines = 0
  #file: FileHandle | null = null
  #written = 0

  /** @param directory for temporary files; must exist */
  constructor(directory: string) {
    this.#directory = directory
  }

  /** Octets on the wire so far: every LF came as CR LF. */
  get wireSize(): number {
    return this.#size + this.#lines
  }

  /** Adds content with LF line ends. A promise only if something must be written. */
  add(content: Buffer, lines: number): void | Promise<void> {
    if (content.length === 0) return
    if (this.#pieces.length >= MAX_PIECES) this.#pieces = [Buffer.concat(this.#pieces)]
    this.#pieces.push(content)
    this.#pending += content.length
    this.#size += content.length
    this.#lines += lines
    if (this.#pending > (this.#file === null ? MAX_IN_MEMORY : BLOCK)) return this.#spill()
  }

  /** The whole message, the header lines in front. It lives until `discard()`. */
  async finish(header: Buffer, headerLines: number): Promise<Message> {
    const lines = headerLines + this.#lines
    if (this.#file === null) return fromBuffer(Buffer.concat([header, ...this.#pieces]), lines)
    await this.#spill()
    const file = this.#file
    const size = this.#written
    return { size: header.length + size, lines, open: () => readBack(header, file, size) }
  }

  /** Gives up memory and file. */
  async discard(): Promise<void> {
    const file = this.#file
    this.#file = null
    this.#pieces = []
    this.#pending = 0
    await file?.close()
  }

  async #spill(): Promise<void> {
    const block = Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#pending = 0
    this.#file ??= await openNameless(this.#directory)
    for (let at = 0; at < block.length;) {
      const { bytesWritten } = await this.#file.write(block, at, block.length - at, this.#written)
      at += bytesWritten
      this.#written += bytesWritten
    }
  }
}

async function openNameless(directory: string): Promise<FileHandle> {
  const path = join(directory, `incoming-${randomBytes(12).toString('hex')}`)
  const { O_RDWR, O_CREAT, O_EXCL, O_NOFOLLOW } = constants
  const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
  await unlink(path)
  return file
}

async function* readBack(header: Buffer, file: FileHandle, size: number): AsyncIterable<Buffer> {
  yield header
  for (let at = 0; at < size;) {
    const block = Buffer.allocUnsafe(Math.min(BLOCK, size - at))
    const { bytesRead } = await file.read(block, 0, block.length, at)
    if (bytesRead === 0) throw new Error('a temporary file became shorter')
    at += bytesRead
    yield block.subarray(0, bytesRead)
  }
}
