/** What a client may do with mail to send; which sender one holds decides how far it reaches. */
import type { Address } from './address.js'
import type { Envelope } from './envelope.js'
import type { Message } from './message.js'

/** Every recipient is delivered, or the mail is ours and durable. */
export interface Receipt {
  /** The id under which the log knows the message. */
  readonly id: string
}

export interface Sender {
  /** @throws Refusal when this sender may not use that reverse-path */
  checkFrom(from: Address | null): Promise<void>
  /**
   * @param declaredSize octets on the wire, `null` if unknown: it may be too much for that mailbox
   * @throws Refusal when mail to that address is not taken from this sender
   */
  checkTo(to: Address, declaredSize: number | null): Promise<void>
  /** Before the body is asked for: is there room? @throws Refusal */
  checkRoom(declaredSize: number | null): Promise<void>
  /** @throws Refusal */
  send(envelope: Envelope, message: Message): Promise<Receipt>
}
