/** A mailbox that loses its power together with its lock. */
import type { Lease } from '../locks/locks.js'
import { RemovalIncomplete, type Mailbox, type StoredMessage } from '../mail/mailbox.js'
import { type Bytes, inMemory } from '../mail/message.js'

/** How often a removal that takes long shows that its session is not idle, in milliseconds. */
const TOUCH_MS = 1_000

export class LeasedMailbox implements Mailbox {
  readonly messages: readonly StoredMessage[]
  readonly #mailbox: Mailbox
  readonly #lease: Lease

  constructor(mailbox: Mailbox, lease: Lease) {
    this.messages = mailbox.messages
    this.#mailbox = mailbox
    this.#lease = lease
  }

  /** A client that takes its time to read a message is not idle while it reads. */
  async open(message: StoredMessage): Promise<Bytes> {
    const content = await this.#mailbox.open(message)
    return inMemory(content) ? content : this.#touching(content)
  }

  /**
   * Whoever lost the lock may not remove anything: somebody else works there now.
   * @throws RemovalIncomplete
   */
  async remove(messages: Iterable<StoredMessage>): Promise<void> {
    if (!this.#lease.valid()) {
      const cause = new Error('the lock on the mailbox was lost')
      throw new RemovalIncomplete([...messages].length, { cause })
    }
    const work = setInterval(() => this.#lease.touch(), TOUCH_MS)
    try {
      await this.#mailbox.remove(messages)
    } finally {
      clearInterval(work)
    }
  }

  async *#touching(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of content) {
      this.#lease.touch()
      yield chunk
    }
  }
}
