/**
 * A message as it goes over the wire after DATA (RFC 5321 sections 2.3.8 and
 * 4.5.2): CR LF line ends, a second dot before every line that begins with
 * one. A bare CR is never let out: to some server it would be the end of a line.
 */
import type { Message } from '../mail/message.js'

const LF = 10
const CR = 13
const DOT = 46
const CRLF = Buffer.from('\r\n')
const ONE_DOT = Buffer.from('.')
const END = Buffer.from('.\r\n')

/** The content holds a CR, which cannot be sent as it is. */
export class BareCr extends Error {
  override readonly name = 'BareCr'
}

/** Everything up to and with the final dot. @throws BareCr before anything that ends the message */
export async function* wireData(message: Message): AsyncGenerator<Buffer, void, void> {
  let atStart = true
  for await (const chunk of message.open()) {
    if (chunk.length === 0) continue
    if (chunk.includes(CR)) throw new BareCr('a bare CR in the message')
    yield stuffed(chunk, atStart)
    atStart = chunk.at(-1) === LF
  }
  yield atStart ? END : Buffer.concat([CRLF, END])
}

/** @param atStart the chunk begins where a line begins */
function stuffed(chunk: Buffer, atStart: boolean): Buffer {
  const pieces: Buffer[] = []
  if (atStart && chunk[0] === DOT) pieces.push(ONE_DOT)
  let from = 0
  for (let lf = chunk.indexOf(LF); lf !== -1; lf = chunk.indexOf(LF, from)) {
    pieces.push(chunk.subarray(from, lf), CRLF)
    from = lf + 1
    if (chunk[from] === DOT) pieces.push(ONE_DOT)
  }
  pieces.push(chunk.subarray(from))
  return Buffer.concat(pieces)
}
