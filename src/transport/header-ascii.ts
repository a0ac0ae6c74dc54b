/** Whether a message is ASCII: without SMTPUTF8 (RFC 6531) its header, without 8BITMIME (RFC 6152) all of it. */
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

/** Reads all of it, or to the first octet that is not. */
export async function isAscii(message: Message): Promise<boolean> {
  for await (const chunk of message.open()) {
    if (chunk.some((byte) => byte >= ASCII_END)) return false
  }
  return true
}
