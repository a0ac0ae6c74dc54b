/**
 * Mailboxes in one file (mbox, the mboxrd dialect): a line that begins with
 * `From ` after an empty one begins a message, and such a line in a message
 * has one `>` more than it should.
 */

/** Longest message that is read, or should be written. */
export const MAX_OCTETS = 256 * 1024 * 1024
const LF = 10
const CR = 13
const SEPARATOR = Buffer.from('From ')
const QUOTED = /^>+From /
const TO_QUOTE = /^(?=>*From )/gm
/** Where the headers that matter here stand. */
const HEAD = 8_192
const RETURN_PATH = /^Return-Path: *<([!-~]{1,254})>/im
/** The end of the year 9999, in seconds since 1970: later years have no four digits. */
const LATEST = 253_402_300_799
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** The file is no mbox, or a message in it is too large. */
export class MboxFault extends Error {
  override readonly name = 'MboxFault'
}

/** The messages of an mbox, with LF line ends. @throws MboxFault */
export async function* mboxMessages(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const reader = new MboxReader()
  for await (const chunk of chunks) yield* reader.add(chunk)
  yield* reader.end()
}

class MboxReader {
  /** A line that has not ended yet. */
  #rest = Buffer.alloc(0)
  #message: Buffer[] | null = null
  #octets = 0
  #afterBlank = true

  #limit(octets: number): void {
    if (octets > MAX_OCTETS) throw new MboxFault(`a message of more than ${MAX_OCTETS} octets`)
  }

  *add(chunk: Buffer): Generator<Buffer> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let from = 0
    for (let at = bytes.indexOf(LF); at !== -1; at = bytes.indexOf(LF, from)) {
      yield* this.#line(bytes.subarray(from, at))
      from = at + 1
    }
    this.#rest = Buffer.from(bytes.subarray(from))
    this.#limit(this.#rest.length)
  }

  *end(): Generator<Buffer> {
    if (this.#rest.length > 0) yield* this.#line(this.#rest)
    yield* this.#finish()
  }

  *#line(raw: Buffer): Generator<Buffer> {
    const line = withoutCrs(raw)
    if (this.#afterBlank && line.subarray(0, SEPARATOR.length).equals(SEPARATOR)) {
      yield* this.#finish()
      this.#message = []
      this.#afterBlank = false
    } else if (this.#message !== null) {
      this.#content(this.#message, line)
    } else if (line.length > 0) {
      throw new MboxFault("no mbox: it does not begin with a line 'From …'")
    }
  }

  #content(message: Buffer[], line: Buffer): void {
    // The empty line before the next message belongs to the file, not to this one.
    if (this.#afterBlank) message.push(Buffer.from('\n'))
    this.#afterBlank = line.length === 0
    if (this.#afterBlank) return
    const quoted = QUOTED.test(line.toString('latin1', 0, HEAD))
    message.push(quoted ? line.subarray(1) : line, Buffer.from('\n'))
    this.#octets += line.length + 1
    this.#limit(this.#octets)
  }

  *#finish(): Generator<Buffer> {
    if (this.#message !== null) yield Buffer.concat(this.#message)
    this.#message = null
    this.#octets = 0
  }
}

/** A message as it stands in an mbox. @param seconds when it came, since 1970; `Infinity` if nobody knows */
export function mboxEntry(message: Buffer, seconds: number): Buffer {
  const text = message.toString('latin1').replace(/\r+\n/g, '\n')
  const sender = RETURN_PATH.exec(text.slice(0, HEAD))?.[1] ?? 'MAILER-DAEMON'
  const ended = text === '' || text.endsWith('\n') ? text : `${text}\n`
  const content = ended.replace(TO_QUOTE, '>')
  return Buffer.from(`From ${sender} ${asctime(seconds)}\n${content}\n`, 'latin1')
}

/** As ctime(3) writes it, in UTC; 1970 for what no clock has said. */
function asctime(seconds: number): string {
  const date = new Date(seconds <= LATEST ? seconds * 1000 : 0)
  const day = String(date.getUTCDate()).padStart(2)
  const time = date.toISOString().slice(11, 19)
  return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${day} ${time} ${date.getUTCFullYear()}`
}

function withoutCrs(line: Buffer): Buffer {
  let end = line.length
  while (end > 0 && line[end - 1] === CR) end--
  return line.subarray(0, end)
}
