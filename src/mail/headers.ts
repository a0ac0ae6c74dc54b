/**
 * The header section of a message (RFC 5322 section 2.2), read from its front
 * and no further than to its end or to a limit. Fields keep their bytes, are
 * listed in their order and never become keys of an object: whatever somebody
 * calls a field is harmless. What is no field is kept, too, without a name.
 */
import { isUtf8 } from 'node:buffer'
import { type Bytes, inMemory } from './message.js'

export interface HeaderLimits {
  /** Octets that are read at most, with LF line ends. */
  readonly octets: number
  /** Fields that are listed at most. */
  readonly fields: number
}

/** More than mail has that means well: Postfix looks at 100 KB. All of it is held in memory. */
export const HEADER_LIMITS: HeaderLimits = { octets: 1024 * 1024, fields: 10_000 }

export interface Header {
  readonly fields: readonly HeaderField[]
  /** Octets before the body, the empty line counted; without meaning if `cut`. */
  readonly size: number
  /** The limit that the header is larger than: `fields` lacks what lies behind it; `null` = it is whole. */
  readonly cut: keyof HeaderLimits | null
}

const LF = 10
const TAB = 9
const SPACE = 32
const COLON = 58
const DELETE = 127
const END = Buffer.from('\n\n')

/** One field, or a line that is none: looked at when asked. */
export class HeaderField {
  /** As it is written; empty if this is no field (RFC 5322 section 2.2: a name, then a colon). */
  readonly name: string
  readonly #bytes: Buffer
  readonly #start: number
  readonly #valueStart: number
  readonly #end: number

  constructor(bytes: Buffer, start: number, end: number) {
    const nameEnd = endOfName(bytes, start, end)
    const colon = endOfBlanks(bytes, nameEnd, end)
    const named = nameEnd > start && colon < end && bytes[colon] === COLON
    this.#bytes = bytes
    this.#start = start
    this.#valueStart = named ? colon + 1 : start
    this.#end = end
    this.name = named ? bytes.toString('latin1', start, nameEnd) : ''
  }

  /** All of it: name, colon, folded lines, the last line end. Not a copy. */
  get raw(): Buffer {
    return this.#bytes.subarray(this.#start, this.#end)
  }

  /** What follows the colon, still folded, without the last line end. Not a copy. */
  get value(): Buffer {
    const end = this.#bytes[this.#end - 1] === LF ? this.#end - 1 : this.#end
    return this.#bytes.subarray(this.#valueStart, Math.max(end, this.#valueStart))
  }

  /** The value on one line, without blanks around it. What is not UTF-8 is read as Latin-1. */
  get text(): string {
    const { value } = this
    return value
      .toString(isUtf8(value) ? 'utf8' : 'latin1')
      .replaceAll('\n', '')
      .trim()
  }

  /** Names are compared without regard to case. */
  is(name: string): boolean {
    return this.name.length === name.length && this.name.toLowerCase() === name.toLowerCase()
  }
}

/** @param bytes a message with LF line ends; of a longer one not more is read than needed */
export async function readHeader(bytes: Bytes, limits = HEADER_LIMITS): Promise<Header> {
  const section = await readSection(bytes, new Section(limits.octets, true))
  const { fields, more } = listed(section.bytes, limits.fields)
  if (!section.cut) return { fields, size: section.size, cut: more ? 'fields' : null }
  // Where the limit lies in the last one nobody knows what it would have been.
  return { fields: more ? fields : fields.slice(0, -1), size: section.size, cut: 'octets' }
}

/**
 * Octets before the body, the empty line counted. Nothing is held in memory for it.
 * @param limit octets before the empty line
 * @returns `null` if they are more
 */
export async function headerSize(bytes: Bytes, limit: number): Promise<number | null> {
  const { cut, size } = await readSection(bytes, new Section(limit, false))
  return cut ? null : size
}

async function readSection(bytes: Bytes, section: Section): Promise<Section> {
  // No `for await` over what is there already: it would cost a turn per chunk.
  if (inMemory(bytes)) {
    for (const chunk of bytes) if (section.feed(chunk)) break
    return section
  }
  for await (const chunk of bytes) if (section.feed(chunk)) break
  return section
}

/** Finds the empty line, and gathers the bytes before it. */
class Section {
  readonly #limit: number
  readonly #gathers: boolean
  #store: Buffer = Buffer.alloc(0)
  #used = 0
  /** Octets of the empty line, once it was seen. */
  #emptyLine = 0
  #atLineStart = true
  cut = false

  constructor(limit: number, gathers: boolean) {
    this.#limit = limit
    this.#gathers = gathers
  }

  get bytes(): Buffer {
    return this.#store.subarray(0, this.#used)
  }

  get size(): number {
    return this.#used + this.#emptyLine
  }

  /** @returns true if nothing more is needed */
  feed(chunk: Buffer): boolean {
    if (chunk.length === 0) return false
    const room = this.#limit - this.#used
    const end = this.#endIn(chunk.subarray(0, room + END.length))
    if (end === -1 && chunk.length <= room) {
      this.#keep(chunk)
      this.#atLineStart = chunk[chunk.length - 1] === LF
      return false
    }
    this.cut = end === -1 || end > room
    this.#keep(chunk.subarray(0, this.cut ? room : end))
    this.#emptyLine = this.cut ? 0 : 1
    return true
  }

  /** Where the empty line begins. */
  #endIn(chunk: Buffer): number {
    if (this.#atLineStart && chunk[0] === LF) return 0
    const at = chunk.indexOf(END)
    return at === -1 ? -1 : at + 1
  }

  /** Room is doubled, so that many small chunks cost no more than a few large ones. */
  #keep(part: Buffer): void {
    const needed = this.#used + part.length
    if (this.#gathers && this.#used === 0) this.#store = part
    else if (this.#gathers) {
      if (needed > this.#store.length) {
        const larger = Buffer.allocUnsafe(needed * 2)
        this.#store.copy(larger, 0, 0, this.#used)
        this.#store = larger
      }
      part.copy(this.#store, this.#used)
    }
    this.#used = needed
  }
}

function listed(bytes: Buffer, limit: number): { fields: HeaderField[]; more: boolean } {
  const fields: HeaderField[] = []
  let at = 0
  while (at < bytes.length && fields.length < limit) {
    const end = endOfField(bytes, at)
    fields.push(new HeaderField(bytes, at, end))
    at = end
  }
  return { fields, more: at < bytes.length }
}

/** A line that begins with a blank belongs to the one before it. */
function endOfField(bytes: Buffer, from: number): number {
  let at = from
  do {
    const lf = bytes.indexOf(LF, at)
    if (lf === -1) return bytes.length
    at = lf + 1
  } while (bytes[at] === SPACE || bytes[at] === TAB)
  return at
}

/** Never looks past the name: a search for the colon could run to the end for every line without one. */
function endOfName(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && isNameByte(bytes[at]!)) at++
  return at
}

/** RFC 5322 section 4.5 lets blanks stand before the colon. */
function endOfBlanks(bytes: Buffer, from: number, end: number): number {
  let at = from
  while (at < end && (bytes[at] === SPACE || bytes[at] === TAB)) at++
  return at
}

function isNameByte(byte: number): boolean {
  return byte > SPACE && byte < DELETE && byte !== COLON
}
