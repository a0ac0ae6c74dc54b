/** The header of a message that waits, and no more of it than that (RFC 5322 section 2.1). */
import type { Message } from '../mail/message.js'

/** Octets; whatever has not ended by then is no header that anybody reads. */
const MAX_HEADER = 1_048_576
const LF = 10

/** All up to the empty line; a header that is too long is cut. */
export async function* headerOf(message: Message): AsyncIterable<Buffer> {
  let left = MAX_HEADER
  // What comes first may be the empty line itself.
  let lineIsEmpty = true
  for await (const piece of message.open()) {
    const some = piece.subarray(0, left)
    const end = endIn(some, lineIsEmpty)
    yield end === -1 ? some : some.subarray(0, end)
    left -= some.length
    if (end !== -1 || left === 0) break
    if (some.length > 0) lineIsEmpty = some.at(-1) === LF
  }
}

/** Where the empty line begins; -1 = not in these bytes. */
function endIn(bytes: Buffer, lineIsEmpty: boolean): number {
  if (lineIsEmpty && bytes[0] === LF) return 0
  const at = bytes.indexOf('\n\n')
  return at === -1 ? -1 : at + 1
}
