/**
 * Text that nobody checked, made fit for a report: one line stays one line, whatever stands in it
 * (RFC 5322 sections 2.1.1 and 2.2.3).
 */

/** Characters of a line, as people like to read it. */
const COLUMNS = 76
/** Of a word that is longer than any line, so that with four octets each it still fits one. */
const MAX_WORD = 200
/** Octets of a value that is not folded: with its name it fits a line. */
const MAX_VALUE = 900
/** What ends a line, is not seen, or turns around what is (UAX 9); and halves of characters. */
const MISLEADING =
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]/gu

/** One line of it. @param utf8 characters beyond ASCII may stay */
export function printable(text: string, utf8: boolean): string {
  const line = text.replace(/[\t\r\n]+/g, ' ')
  return utf8 ? line.replace(MISLEADING, '?') : line.replace(/[^ -~]/gu, '?')
}

/** At most so many octets of it, and no half of a character. */
export function bounded(text: string, octets: number): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= octets) return text
  let end = octets
  // The first octet left out goes on with a character: that one is left out, too.
  while (isContinuation(bytes[end]!)) end--
  return `${bytes.toString('utf8', 0, end)}...`
}

/**
 * Broken into lines at its blanks; each but the first begins with the indent.
 * @param used characters that the first line has already
 */
export function wrapped(text: string, indent: string, used: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of words(text)) {
    const room = COLUMNS - (lines.length === 0 ? used : indent.length)
    if (line !== '' && line.length + 1 + word.length > room) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].join(`\n${indent}`)
}

/** A field whose value may be folded: blanks mean nothing in it. */
export function field(name: string, value: string): string {
  return `${name}: ${wrapped(value, ' ', name.length + 2)}\n`
}

/** A field whose value must stay as it is. */
export function exactField(name: string, value: string): string {
  return `${name}: ${bounded(value, MAX_VALUE)}\n`
}

/** RFC 5322 section 3.3, in UTC. @param time milliseconds since 1970 */
export function dateOf(time: number): string {
  return new Date(time).toUTCString().replace('GMT', '+0000')
}

export function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  return /^[\u0000-\u007f]*$/.test(text)
}

function words(text: string): string[] {
  const pieces = new RegExp(`.{1,${MAX_WORD}}`, 'gsu')
  return text.split(' ').flatMap((word) => (word.length > MAX_WORD ? word.match(pieces)! : [word]))
}

function isContinuation(byte: number): boolean {
  return (byte & 0xc0) === 0x80
}
