/** Writes a letter into an open file, in few and large writes, whatever pieces it comes in. */
import { WrongSize } from './errors.js'
import type { Content } from './maildir.js'
import { writeAll } from './system.js'

/** Pieces are gathered up to here; what is held in memory is this and one piece. */
const BATCH = 64 * 1024

/**
 * Writes the whole content.
 * @throws WrongSize if it is not as long as it said: the size is in the file's
 *   name for ever; or what the content or the system throws
 */
export async function fill(fd: number, size: number, content: Content): Promise<void> {
  const writer = new Writer(fd, size)
  // Content in memory takes no turn of the event loop per piece.
  if (Symbol.iterator in content) {
    for (const piece of content) if (writer.add(piece)) await writer.flush()
  } else {
    for await (const piece of content) if (writer.add(piece)) await writer.flush()
  }
  await writer.flush()
  writer.finish()
}

class Writer {
  readonly #fd: number
  #left: number
  #pieces: Buffer[] = []
  #held = 0

  constructor(fd: number, size: number) {
    this.#fd = fd
    this.#left = size
  }

  /** @returns whether it is time to flush */
  add(piece: Buffer): boolean {
    this.#left -= piece.length
    if (this.#left < 0) throw new WrongSize('the content is longer than it said')
    this.#pieces.push(piece)
    this.#held += piece.length
    return this.#held >= BATCH
  }

  async flush(): Promise<void> {
    const pieces = this.#pieces
    this.#pieces = []
    this.#held = 0
    await writeAll(this.#fd, pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
  }

  finish(): void {
    if (this.#left > 0) throw new WrongSize('the content is shorter than it said')
  }
}
