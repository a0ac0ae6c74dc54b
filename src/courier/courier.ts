/** Brings a message to the recipients of its envelope. */
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'

export interface Courier {
  /** One outcome per recipient, in the envelope's order. Never throws. */
  deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]>
}
