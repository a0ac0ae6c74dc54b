/** Looks for octets beyond ASCII in the header of a message (RFC 6532), which not every client may get (RFC 6856). */
import { type Bytes, inMemory } from '../mail/message.js'

const LF = 10
const CR = 13
const FIRST_BEYOND_ASCII = 0x80

/** True if the header holds one. Reads no further than to it, or to the blank line that ends the header. */
export async function headerBeyondAscii(content: Bytes): Promise<boolean> {
  const header = new Header()
  if (inMemory(content)) {
    for (const chunk of content) if (header.ends(chunk)) break
  } else {
    for await (const chunk of content) if (header.ends(chunk)) break
  }
  return header.beyondAscii
}

/** Remembers across chunks what was found, and what the line holds so far. */
class Header {
  beyondAscii = false
  #line: 'nothing' | 'cr' | 'text' = 'nothing'

  /** @returns true when all is known */
  ends(chunk: Buffer): boolean {
    for (const octet of chunk) {
      if (octet >= FIRST_BEYOND_ASCII) return (this.beyondAscii = true)
      if (octet === LF && this.#line !== 'text') return true
      if (octet === LF) this.#line = 'nothing'
      else this.#line = octet === CR && this.#line === 'nothing' ? 'cr' : 'text'
    }
    return false
  }
}
