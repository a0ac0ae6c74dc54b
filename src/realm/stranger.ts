/**
 * The sender that a client holds which did not say who it is: it reaches the
 * mailboxes of the own domains and nothing else.
 */
import type { Directory } from '../directory/directory.js'
import type { Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { noSuchUser, relayDenied } from '../mail/refusal.js'
import type { Receipt, Sender } from '../mail/sender.js'
import type { Queue } from '../queue/queue.js'
import type { Store } from '../store/store.js'

export class Stranger implements Sender {
  readonly #directory: Directory
  readonly #store: Store
  readonly #queue: Queue

  constructor(directory: Directory, store: Store, queue: Queue) {
    this.#directory = directory
    this.#store = store
    this.#queue = queue
  }

  /** A stranger may call himself what he likes; nobody believes him. */
  async checkFrom(): Promise<void> {}

  /** A directory that cannot tell is heard as it is: that is "later", never "no such user". */
  async checkTo(to: Address, declaredSize: number | null): Promise<void> {
    if (!(await this.#directory.owns(to.domain))) throw relayDenied()
    const targets = await this.#directory.resolve(to)
    if (targets.length === 0) throw noSuchUser()
    // One full mailbox of several: the message as a whole would have to come again.
    for (const { user, quota } of targets) {
      if (quota !== null) await this.#store.checkQuota(user, quota, declaredSize)
    }
  }

  checkRoom(declaredSize: number | null): Promise<void> {
    return this.#store.checkRoom(declaredSize)
  }

  send(envelope: Envelope, message: Message): Promise<Receipt> {
    return this.#queue.put(envelope, message)
  }
}
