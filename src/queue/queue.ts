/**
 * The one way that mail takes once it was accepted. Local recipients are tried
 * at once; the claiming side (remote recipients, local faults that may pass)
 * joins this contract together with the spool.
 */
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Receipt } from '../mail/sender.js'

export interface Queue {
  /**
   * Resolves when every recipient has the message or it is durably ours.
   * @throws Refusal when it is neither
   */
  put(envelope: Envelope, message: Message): Promise<Receipt>
}
