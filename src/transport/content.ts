/** A message on its way after DATA was answered with 354: one write if it is in memory, else piece by piece. */
import { type Bytes, inMemory, type Message } from '../mail/message.js'
import type { Talk } from './talk.js'
import { wireBytes, wireData } from './wire-data.js'

export class Content {
  /** As it goes over the wire, or where it is read from. */
  readonly #whole: Buffer | null
  readonly #bytes: Bytes

  /** @throws BareCr when the message is in memory: before any server was asked for anything */
  constructor(message: Message) {
    const bytes = message.open()
    this.#bytes = bytes
    this.#whole = inMemory(bytes) ? wireBytes(bytes) : null
  }

  /**
   * Once only.
   * @param replies so many are owed after the final dot
   * @param withinMs that a piece may wait to be taken
   * @throws BareCr, UnreadableContent, or as `Talk.write`: the message has no end then, and the
   * connection must be closed
   */
  async send(talk: Talk, replies: number, withinMs?: number): Promise<void> {
    await talk.settle()
    if (this.#whole !== null) return talk.finish(this.#whole, replies)
    let last: Buffer | null = null
    for await (const piece of wireData(this.#bytes)) {
      // Only after the last one, which is the final dot, replies are owed.
      if (last !== null) await talk.write(last, withinMs)
      last = piece
    }
    if (last !== null) talk.finish(last, replies)
  }
}
