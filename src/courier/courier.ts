/** Brings a message to the recipients of its envelope. */
import type { Target } from '../directory/directory.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import type { Refusal } from '../mail/refusal.js'
import type { Deadline } from './deadline.js'

export interface Courier {
  /** One outcome per recipient, in the envelope's order. Never throws. */
  deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]>
}

/** Knows one kind of place, and brings a message to any number of them. */
export interface TargetCourier<T extends Target = Target> {
  /**
   * One answer per target, in order: `null` = it is safe there. Never throws.
   * @param envelope whom the mail is from; its recipients are not looked at
   * @param deadline after it nothing is begun any more, and the answer is "later"
   */
  deliver(
    targets: readonly T[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<readonly (Refusal | null)[]>
}
