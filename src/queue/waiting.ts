/** A recipient that nobody has tried yet. */
import type { Target } from '../directory/directory.js'
import type { Address } from '../mail/address.js'
import type { Notice } from '../mail/envelope.js'
import type { QueuedRecipient } from './item.js'

/** @param now milliseconds since 1970: it is due at once */
export function waitingFor(
  to: Address,
  target: Target,
  notice: Notice | null,
  now: number,
): QueuedRecipient {
  return {
    to,
    target,
    notice,
    state: 'waiting',
    attempts: 0,
    next: now,
    trouble: null,
    delayReported: false,
    reported: false,
  }
}
