/**
 * A message as it goes over the wire after DATA (RFC 5321 sections 2.3.8 and
 * 4.5.2): CR LF line ends, a second dot before every line that begins with
 * one. A bare CR is never let out: to some server it would be the end of a line.
 */
import type { Bytes } from '../mail/message.js'

const LF = 10
const CR = 13
const DOT = 46
/** Octets of the longest end: CR LF, dot, CR LF. */
const END_OCTETS = 5

/** The content holds a CR, which cannot be sent as it is. */
export class BareCr extends Error {
  override readonly name = 'BareCr'
}

/** The content cannot be read from where we keep it: no fault of the other server. */
export class UnreadableContent extends Error {
  override readonly name = 'UnreadableContent'
}

/** The end of a message without content: what is said to a server that wants one nobody gets (RFC 2920 section 3.1). */
export const LONE_DOT = Buffer.from('.\r\n')

/** All of a message that is in memory, up to and with the final dot. @throws BareCr */
export function wireBytes(chunks: Iterable<Buffer>): Buffer {
  const all = [...chunks]
  const content = all.length === 1 ? all[0]! : Buffer.concat(all)
  const wire = Buffer.allocUnsafe(roomFor(content))
  const end = stuff(content, wire, true)
  return wire.subarray(0, finish(wire, end, endsLine(content, true)))
}

/**
 * Everything up to and with the final dot, which is a piece by itself, the last one.
 * @throws BareCr, UnreadableContent before anything that ends the message
 */
export async function* wireData(content: Bytes): AsyncGenerator<Buffer, void, void> {
  let atStart = true
  for await (const chunk of readable(content)) {
    const wire = Buffer.allocUnsafe(roomFor(chunk))
    yield wire.subarray(0, stuff(chunk, wire, atStart))
    atStart = endsLine(chunk, atStart)
  }
  const end = Buffer.alloc(END_OCTETS)
  yield end.subarray(0, finish(end, 0, atStart))
}

/** What goes wrong in here comes from a disk of ours. */
async function* readable(content: Bytes): AsyncGenerator<Buffer, void, void> {
  try {
    for await (const chunk of content) if (chunk.length > 0) yield chunk
  } catch (cause) {
    throw new UnreadableContent('the message cannot be read', { cause })
  }
}

/** Each LF gets a CR, and at most each second octet is a dot that gets another. */
const roomFor = (content: Buffer): number => content.length * 2 + 1 + END_OCTETS

const endsLine = (content: Buffer, before: boolean): boolean =>
  content.length === 0 ? before : content[content.length - 1] === LF

/** Octet by octet: lines are short, and a copy for each costs more. @returns where it ends */
function stuff(content: Buffer, wire: Buffer, atStart: boolean): number {
  if (content.includes(CR)) throw new BareCr('a bare CR in the message')
  let at = 0
  let start = atStart
  for (const octet of content) {
    if (octet === LF) wire[at++] = CR
    else if (start && octet === DOT) wire[at++] = DOT
    wire[at++] = octet
    start = octet === LF
  }
  return at
}

function finish(wire: Buffer, from: number, atStart: boolean): number {
  const end = atStart ? '.\r\n' : '\r\n.\r\n'
  return from + wire.write(end, from, 'latin1')
}
