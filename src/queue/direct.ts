/**
 * A queue without a spool: what cannot be delivered now is not taken, and
 * waits at the client.
 */
import type { Courier, Outcome } from '../courier/courier.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { tryLater, type Refusal } from '../mail/refusal.js'
import type { Receipt } from '../mail/sender.js'
import type { Queue } from './queue.js'

export class DirectQueue implements Queue {
  readonly #courier: Courier

  constructor(courier: Courier) {
    this.#courier = courier
  }

  /**
   * SMTP has one reply for all recipients. If some got the message and others
   * did not, the client is told to come again, and those who have it get a
   * second copy: twice is better than never.
   * @throws Refusal permanent only if every recipient failed for good
   */
  async put(envelope: Envelope, message: Message): Promise<Receipt> {
    const outcomes = await this.#courier.deliver(envelope, message)
    const refusal = verdict(outcomes)
    if (refusal !== null) throw refusal
    return { id: envelope.id }
  }
}

function verdict(outcomes: readonly Outcome[]): Refusal | null {
  const refusals = outcomes.flatMap(({ refusal }) => refusal ?? [])
  const [first] = refusals
  if (first === undefined) return null
  const temporary = refusals.find((refusal) => refusal.temporary)
  if (temporary !== undefined) return temporary
  // A "no" for one must not be heard as a "no" for all; the next RCPT will say who it is.
  return refusals.length === outcomes.length ? first : tryLater(first)
}
