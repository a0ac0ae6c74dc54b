/** What a client may do with mail to send; which sender one holds decides how far it reaches. */
import type { Address } from './address.js'
import type { Envelope, Opening } from './envelope.js'
import type { Message } from './message.js'
import type { Outcome } from './outcome.js'

export interface Sender {
  /** @throws Refusal when this sender may not use that reverse-path */
  checkFrom(opening: Opening): Promise<void>
  /** @throws Refusal when mail to that address is not taken from this sender */
  checkTo(opening: Opening, to: Address): Promise<void>
  /** Before the body is asked for: is there room? @throws Refusal */
  checkRoom(opening: Opening): Promise<void>
  /**
   * @returns one outcome per recipient, in the envelope's order
   * @throws Refusal when the message as a whole is not taken; then nobody has it
   */
  send(envelope: Envelope, message: Message): Promise<readonly Outcome[]>
}
