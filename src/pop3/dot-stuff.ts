/**
 * Makes the body of RETR and TOP: a dot is put before each line that begins
 * with one, and `.` CR LF ends it all (RFC 1939 section 3). What the chunks
 * are cut into changes nothing.
 */
import { type Bytes, inMemory } from '../mail/message.js'

const DOT = 46
const LF = 10
const CR = 13
const LINE_DOT = Buffer.from('\n.')
const ONE_DOT = Buffer.from('.')
const END = Buffer.from('.\r\n')
/** Content that does not end its last line would hide the final dot. */
const LINE_END = Buffer.from('\r\n.\r\n')

/** At once if the content is in memory, else chunk by chunk. */
export function dotStuff(content: Bytes): Bytes {
  return inMemory(content) ? stuffNow(content) : stuffLater(content)
}

function stuffNow(content: Iterable<Buffer>): Buffer[] {
  const edge = new Edge()
  const out: Buffer[] = []
  for (const chunk of content) out.push(...edge.stuff(chunk))
  out.push(edge.end())
  return out
}

async function* stuffLater(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const edge = new Edge()
  for await (const chunk of content) {
    // Not `yield*`: that takes several turns for each.
    for (const each of edge.stuff(chunk)) yield each
  }
  yield edge.end()
}

/** Remembers how the last chunk ended: the next one may begin a line, or finish a CR LF. */
class Edge {
  /** The last two octets; the message itself begins a line. */
  #beforeLast = CR
  #last = LF

  /** A dot that begins the chunk is found here, those inside it below. */
  stuff(chunk: Buffer): Buffer[] {
    if (chunk.length === 0) return []
    const dotFirst = this.#last === LF && chunk[0] === DOT
    this.#beforeLast = chunk.length > 1 ? chunk[chunk.length - 2]! : this.#last
    this.#last = chunk[chunk.length - 1]!
    const stuffed = stuffInside(chunk)
    return dotFirst ? [ONE_DOT, stuffed] : [stuffed]
  }

  end(): Buffer {
    return this.#beforeLast === CR && this.#last === LF ? END : LINE_END
  }
}

/**
 * The chunk itself if there is nothing to stuff, else one copy. Bytes are
 * looked at one by one then: a search per dot costs 50 times as much where
 * every line begins with one.
 */
function stuffInside(chunk: Buffer): Buffer {
  const first = chunk.indexOf(LINE_DOT)
  if (first === -1) return chunk
  const out = Buffer.allocUnsafe(chunk.length + countLineDots(chunk, first + 1))
  let to = chunk.copy(out, 0, 0, first + 1)
  for (let at = first + 1; at < chunk.length; at++) {
    if (beginsWithDot(chunk, at)) out[to++] = DOT
    out[to++] = chunk[at]!
  }
  return out
}

function countLineDots(chunk: Buffer, from: number): number {
  let dots = 0
  for (let at = from; at < chunk.length; at++) if (beginsWithDot(chunk, at)) dots++
  return dots
}

/** True if a line begins with a dot here; not at the very beginning of the chunk. */
function beginsWithDot(chunk: Buffer, at: number): boolean {
  return chunk[at] === DOT && chunk[at - 1] === LF
}
