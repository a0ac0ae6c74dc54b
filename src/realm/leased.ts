/** A mailbox that loses its power together with its lock. */
import type { Lease } from '../locks/locks.js'
import { RemovalIncomplete, type Mailbox, type StoredMessage } from '../mail/mailbox.js'
import type { Bytes } from '../mail/message.js'

export class LeasedMailbox implements Mailbox {
  readonly messages: readonly StoredMessage[]
  readonly #mailbox: Mailbox
  readonly #lease: Lease

  constructor(mailbox: Mailbox, lease: Lease) {
    this.messages = mailbox.messages
    this.#mailbox = mailbox
    this.#lease = lease
  }

  open(message: StoredMessage): Promise<Bytes> {
    return this.#mailbox.open(message)
  }

  /**
   * Whoever lost the lock may not remove anything: somebody else works there now.
   * @throws RemovalIncomplete
   */
  async remove(messages: Iterable<StoredMessage>): Promise<void> {
    if (this.#lease.valid()) return this.#mailbox.remove(messages)
    throw new RemovalIncomplete([...messages].length, {
      cause: new Error('the lock on the mailbox was lost'),
    })
  }
}
