/**
 * The sender that a client holds which did not say who it is: it reaches the
 * mailboxes of the own domains and nothing else.
 */
import type { Address } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { relayDenied } from '../mail/refusal.js'
import type { Sender } from '../mail/sender.js'
import { checkRecipient, filtered, type SenderParts } from './own-domains.js'

export class Stranger implements Sender {
  readonly #parts: SenderParts

  constructor(parts: SenderParts) {
    this.#parts = parts
  }

  /** A stranger may call himself what he likes; nobody believes him. */
  async checkFrom(): Promise<void> {}

  async checkTo(opening: Opening, to: Address): Promise<void> {
    if (!(await this.#parts.directory.owns(to.domain))) throw relayDenied()
    await checkRecipient(this.#parts, opening, to)
  }

  checkRoom({ declaredSize }: Opening): Promise<void> {
    return this.#parts.store.checkRoom(declaredSize)
  }

  async send(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const { filter, queue } = this.#parts
    return queue.put(envelope, await filtered(filter, envelope, message))
  }
}
