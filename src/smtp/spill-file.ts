/** A temporary file that has no name, so that a crash leaves nothing behind: what of a message has no room in memory. */
import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { join } from 'node:path'

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants
/** Octets that are read at a time. */
const BLOCK = 131_072

export class SpillFile {
  readonly #handle: FileHandle
  #size = 0
  /** Those who were lent the descriptor and are not done. */
  #users = 0
  #closing = false

  private constructor(handle: FileHandle) {
    this.#handle = handle
  }

  /**
   * @param directory must exist
   * @throws the system's error
   */
  static async open(directory: string): Promise<SpillFile> {
    const path = join(directory, `incoming-${randomBytes(12).toString('hex')}`)
    const handle = await open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
    try {
      await unlink(path)
    } catch (error) {
      await handle.close()
      throw error
    }
    return new SpillFile(handle)
  }

  /** Octets that were written. */
  get size(): number {
    return this.#size
  }

  /** Writes at the end; not twice at once. @throws the system's error */
  async append(pieces: readonly Buffer[]): Promise<void> {
    let rest = pieces
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, this.#size)
      if (bytesWritten === 0) throw new Error('the system took no bytes and gave no reason')
      this.#size += bytesWritten
      rest = behind(rest, bytesWritten)
    }
  }

  /** What was written, with something in front. @throws also when the file was closed meanwhile */
  async *read(front: Buffer): AsyncIterable<Buffer> {
    yield front
    const size = this.#size
    for (let at = 0; at < size;) {
      const block = Buffer.allocUnsafe(Math.min(BLOCK, size - at))
      const { bytesRead } = await this.#handle.read(block, 0, block.length, at)
      if (bytesRead === 0) throw new Error('a temporary file became shorter')
      at += bytesRead
      yield block.subarray(0, bytesRead)
    }
  }

  /**
   * Lends the descriptor. It stays open until the work is done, whoever gives the message up
   * meanwhile: the next file to be opened would have its number, and somebody else's mail in it.
   * @throws what the work throws, or when the file is closed
   */
  async use<T>(work: (fd: number) => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error('a temporary file was closed')
    this.#users++
    try {
      return await work(this.#handle.fd)
    } finally {
      this.#users--
      if (this.#closing && this.#users === 0) await this.#handle.close()
    }
  }

  /** Gives it up, at once or as soon as nobody uses it any more. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    if (this.#users === 0) await this.#handle.close()
  }
}

/** What the system has not taken yet. */
function behind(pieces: readonly Buffer[], taken: number): readonly Buffer[] {
  let left = taken
  let at = 0
  while (at < pieces.length && left >= pieces[at]!.length) left -= pieces[at++]!.length
  const [first, ...others] = pieces.slice(at)
  return first === undefined ? [] : [first.subarray(left), ...others]
}
