/** Brings a message to the recipients of its envelope. */
import type { Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Refusal } from '../mail/refusal.js'

/** What became of one recipient. */
export interface Outcome {
  readonly to: Address
  /** `null` = delivered. */
  readonly refusal: Refusal | null
}

export interface Courier {
  /** One outcome per recipient, in the envelope's order. Never throws. */
  deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]>
}
