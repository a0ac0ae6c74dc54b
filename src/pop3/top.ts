/** The top of a message: the header, the blank line, and so many lines of the body (RFC 1939 section 7, TOP). */
import { type Bytes, inMemory } from '../mail/message.js'

const LF = 10
const CR = 13

/** Reads no further than it must. Never gives more than the message itself. */
export function top(content: Bytes, lines: number): Bytes {
  return inMemory(content) ? topNow(content, lines) : topLater(content, lines)
}

function* topNow(content: Iterable<Buffer>, lines: number): Generator<Buffer> {
  const cut = new Cut(lines)
  for (const chunk of content) {
    yield cut.take(chunk)
    if (cut.done) return
  }
}

async function* topLater(content: AsyncIterable<Buffer>, lines: number): AsyncGenerator<Buffer> {
  const cut = new Cut(lines)
  for await (const chunk of content) {
    yield cut.take(chunk)
    if (cut.done) return
  }
}

/** What the line holds so far. */
type Line = 'nothing' | 'cr' | 'text'

/** Counts lines across chunks. */
class Cut {
  #left: number
  #inHeader = true
  /** The line that the last chunk left unfinished. */
  #line: Line = 'nothing'

  constructor(lines: number) {
    this.#left = lines
  }

  get done(): boolean {
    return !this.#inHeader && this.#left === 0
  }

  /** The part of the chunk that belongs to the top. */
  take(chunk: Buffer): Buffer {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at]
      if (byte !== LF) this.#line = this.#line === 'nothing' && byte === CR ? 'cr' : 'text'
      else if (this.#endLine()) return chunk.subarray(0, at + 1)
    }
    return chunk
  }

  /** @returns true if it was the last line of the top */
  #endLine(): boolean {
    if (!this.#inHeader) this.#left--
    else if (this.#line !== 'text') this.#inHeader = false
    this.#line = 'nothing'
    return this.done
  }
}
