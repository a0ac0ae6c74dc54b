/**
 * The one way that mail takes once it was accepted. Local recipients are tried
 * at once; the claiming side (remote recipients, local faults that may pass)
 * joins this contract together with the spool.
 */
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'

export type { QueueItem } from './item.js'

export interface Queue {
  /** @returns who has the message or will get it from us (durably), and who will not; one outcome per recipient */
  put(envelope: Envelope, message: Message): Promise<readonly Outcome[]>
}
