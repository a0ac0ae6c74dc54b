/** A mailbox that loses its power together with its lock. */
import type { Lease } from '../locks/locks.js'
import {
  type Mailbox,
  type Pieces,
  RemovalIncomplete,
  type StoredMessage,
} from '../mail/mailbox.js'
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
  open(message: StoredMessage, pieces?: Pieces): Bytes | Promise<Bytes> {
    const content = this.#mailbox.open(message, pieces)
    return content instanceof Promise
      ? content.then((late) => this.#watched(late))
      : this.#watched(content)
  }

  /**
   * Whoever lost the lock may not remove anything: somebody else works there now. It is
   * looked at again and again, for a process may be stopped in the middle and wake up later.
   * @throws RemovalIncomplete
   */
  async remove(messages: Iterable<StoredMessage>, stillOurs = () => true): Promise<void> {
    const fence = new Fence(this.#lease)
    if (!fence.stands()) throw fence.blamed(new RemovalIncomplete([...messages].length))
    const work = setInterval(() => this.#lease.touch(), TOUCH_MS)
    try {
      await this.#mailbox.remove(messages, () => stillOurs() && fence.stands())
    } catch (error) {
      throw fence.blamed(error)
    } finally {
      clearInterval(work)
    }
  }

  #watched(content: Bytes): Bytes {
    return inMemory(content) ? content : this.#touching(content)
  }

  async *#touching(content: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of content) {
      this.#lease.touch()
      yield chunk
    }
  }
}

/** Keeps in mind why there was no going on. */
class Fence {
  readonly #lease: Lease
  #why: unknown = null

  constructor(lease: Lease) {
    this.#lease = lease
  }

  /** Who cannot tell whether the lock is held does not hold it. */
  stands(): boolean {
    try {
      if (this.#lease.valid()) return true
      this.#why = new Error('the lock on the mailbox was lost')
    } catch (error) {
      this.#why = error
    }
    return false
  }

  /** The error of a removal, with the loss of the lock as its cause if that is what it was. */
  blamed(error: unknown): unknown {
    const cut = error instanceof RemovalIncomplete && this.#why !== null
    return cut ? new RemovalIncomplete(error.left, { cause: this.#why }) : error
  }
}
