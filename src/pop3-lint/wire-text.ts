/** A message as RETR and TOP put it on the wire (RFC 1939 section 3), and what can be wrong with that. */

/** The message itself: the dot that was put before a line taken off. */
export function unstuffed(wire: Buffer): Buffer {
  return latin1(wire.toString('latin1').replace(/(^|\n)\./g, '$1'))
}

/** The lines of a message, line ends included. */
export function wireLines(wire: Buffer): string[] {
  return wire.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** The top: the header, the blank line behind it, and so many lines of the body. All of it if shorter. */
export function topOf(wire: Buffer, bodyLines: number): Buffer {
  const lines = wireLines(wire)
  const blank = lines.findIndex(isBlank)
  return latin1((blank === -1 ? lines : lines.slice(0, blank + 1 + bodyLines)).join(''))
}

/** True if there is a line that ends the header. */
export function hasBlankLine(wire: Buffer): boolean {
  return wireLines(wire).some(isBlank)
}

/** Lines that the message has below its header. */
export function bodyLineCount(wire: Buffer): number {
  return wireLines(wire).length - wireLines(topOf(wire, 0)).length
}

/** Line ends that are not CR LF. */
export function bareLineEnds(wire: Buffer): number {
  return wire.toString('latin1').match(/(?<!\r)\n/g)?.length ?? 0
}

/** Lines that begin with a dot and have no second one put before it. */
export function unstuffedDots(wire: Buffer): number {
  return wire.toString('latin1').match(/(?<=^|\n)\.(?!\.)/g)?.length ?? 0
}

const isBlank = (line: string): boolean => line === '\r\n' || line === '\n'
const latin1 = (text: string): Buffer => Buffer.from(text, 'latin1')
