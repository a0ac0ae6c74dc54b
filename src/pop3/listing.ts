/** The lines of a multi-line response (RFC 1939 section 3) in few buffers, however many lines there are. */
import { printable } from './reply.js'

/** Octets that are put together before they are sent. */
const CHUNK = 65_536

/**
 * Made while it is sent: a list of 100,000 messages is never one string.
 * @param lines none may begin with a dot
 */
export function* listing(lines: Iterable<string>): Generator<Buffer> {
  let text = ''
  for (const line of lines) {
    text += `${printable(line)}\r\n`
    if (text.length < CHUNK) continue
    yield Buffer.from(text, 'latin1')
    text = ''
  }
  yield Buffer.from(`${text}.\r\n`, 'latin1')
}
