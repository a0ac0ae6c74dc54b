/**
 * Messages that have just been put into the spool and are still in memory: the first try needs not
 * read them back. Only what lies in memory as a whole outlives the session that brought it.
 */
import { inMemory, type Message } from '../mail/message.js'

/** Octets of all of them together; beyond, the oldest are read from the spool. */
const MAX_OCTETS = 32 * 1024 * 1024

export class FreshMessages {
  readonly #messages = new Map<string, Message>()
  readonly #maxOctets: number
  #octets = 0

  /** @param maxOctets 32 MiB unless a test says otherwise */
  constructor(maxOctets = MAX_OCTETS) {
    this.#maxOctets = maxOctets
  }

  keep(id: string, message: Message): void {
    if (message.size > this.#maxOctets || !inMemory(message.open())) return
    this.forget(id)
    this.#messages.set(id, message)
    this.#octets += message.size
    for (const oldest of this.#messages.keys()) {
      if (this.#octets <= this.#maxOctets) return
      this.forget(oldest)
    }
  }

  get(id: string): Message | null {
    return this.#messages.get(id) ?? null
  }

  forget(id: string): void {
    this.#octets -= this.#messages.get(id)?.size ?? 0
    this.#messages.delete(id)
  }
}
