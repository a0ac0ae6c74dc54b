/** Whether a message is ASCII: without SMTPUTF8 (RFC 6531) its header, without 8BITMIME (RFC 6152) all of it. */
import { isAscii as onlyAscii } from 'node:buffer'
import type { Message } from '../mail/message.js'

const LF = 10
const EMPTY_LINE = Buffer.from('\n\n')

/** Reads to the empty line and no further. */
export async function headerIsAscii(message: Message): Promise<boolean> {
  let last = LF
  for await (const chunk of message.open()) {
    if (chunk.length === 0) continue
    const end = endOfHeader(chunk, last)
    if (!onlyAscii(chunk.subarray(0, end === -1 ? chunk.length : end))) return false
    if (end !== -1) return true
    last = chunk[chunk.length - 1]!
  }
  return true
}

/** Reads all of it, or to the first piece that is not. */
export async function isAscii(message: Message): Promise<boolean> {
  for await (const chunk of message.open()) if (!onlyAscii(chunk)) return false
  return true
}

/** Where the empty line begins, which may be torn apart; -1 if it is not here. */
function endOfHeader(chunk: Buffer, last: number): number {
  return last === LF && chunk[0] === LF ? 0 : chunk.indexOf(EMPTY_LINE)
}
