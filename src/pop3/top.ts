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

/** Counts lines across chunks. */
class Cut {
  #left: number
  #inHeader = true
  /** Octets of the line that the last chunk left unfinished. */
  #begun = 0
  #beganWithCr = false

  constructor(lines: number) {
    this.#left = lines
  }

  get done(): boolean {
    return !this.#inHeader && this.#left === 0
  }

  /** The part of the chunk that belongs to the top. */
  take(chunk: Buffer): Buffer {
    let start = 0
    for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, start)) {
      this.#grow(chunk, start, lf)
      this.#endLine()
      start = lf + 1
      if (this.done) return chunk.subarray(0, start)
    }
    this.#grow(chunk, start, chunk.length)
    return chunk
  }

  #grow(chunk: Buffer, from: number, to: number): void {
    if (this.#begun === 0 && to > from) this.#beganWithCr = chunk[from] === CR
    this.#begun += to - from
  }

  #endLine(): void {
    const blank = this.#begun === 0 || (this.#begun === 1 && this.#beganWithCr)
    this.#begun = 0
    if (!this.#inHeader) this.#left--
    else if (blank) this.#inHeader = false
  }
}
