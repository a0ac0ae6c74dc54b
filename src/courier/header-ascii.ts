/** Whether the header of a message is ASCII, so that it needs no SMTPUTF8 (RFC 6531). */
import type { Message } from '../mail/message.js'

const LF = 10
const ASCII_END = 0x80

/** Reads to the empty line and no further. */
export async function headerIsAscii(message: Message): Promise<boolean> {
  let last = LF
  for await (const chunk of message.open()) {
    for (const byte of chunk) {
      if (byte >= ASCII_END) return false
      if (byte === LF && last === LF) return true
      last = byte
    }
  }
  return true
}
