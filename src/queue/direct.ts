/**
 * A queue without a spool: what cannot be delivered now is not taken, and
 * waits at the client.
 */
import type { Courier } from '../courier/courier.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import type { Queue } from './queue.js'

export class DirectQueue implements Queue {
  readonly #courier: Courier

  constructor(courier: Courier) {
    this.#courier = courier
  }

  put(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    return this.#courier.deliver(envelope, message)
  }
}
