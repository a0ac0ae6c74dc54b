/**
 * A mailbox as a session numbers it (RFC 1939 section 5): numbers never move,
 * a message marked as deleted keeps its own and is passed over.
 */
import type { StoredMessage } from '../mail/mailbox.js'

export class Maildrop {
  readonly #messages: readonly StoredMessage[]
  readonly #marked = new Set<StoredMessage>()
  /** Octets of all messages, and of those marked: STAT must not count 100,000 of them each time. */
  readonly #octets: number
  #markedOctets = 0

  constructor(messages: readonly StoredMessage[]) {
    this.#messages = messages
    this.#octets = messages.reduce((sum, { size }) => sum + size, 0)
  }

  /** Messages that are not marked. */
  get count(): number {
    return this.#messages.length - this.#marked.size
  }

  /** Octets of the messages that are not marked. */
  get octets(): number {
    return this.#octets - this.#markedOctets
  }

  get marked(): ReadonlySet<StoredMessage> {
    return this.#marked
  }

  /** @returns `null` if there is no such number, or it is marked */
  get(number: number): StoredMessage | null {
    const message = this.#messages[number - 1]
    return message === undefined || this.#marked.has(message) ? null : message
  }

  mark(message: StoredMessage): void {
    this.#marked.add(message)
    this.#markedOctets += message.size
  }

  unmarkAll(): void {
    this.#marked.clear()
    this.#markedOctets = 0
  }

  /** One line for each message that is not marked: its number and what `about` says of it. */
  *lines(about: (message: StoredMessage) => string | number): Generator<string> {
    for (const [index, message] of this.#messages.entries()) {
      if (!this.#marked.has(message)) yield `${index + 1} ${about(message)}`
    }
  }
}
