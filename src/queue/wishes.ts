/** What a sender wants to be told of a recipient (RFC 3461 section 4.1), and what is not worth a report. */
import type { DsnEvent } from '../mail/envelope.js'
import type { QueuedRecipient, QueueItem, RecipientState } from './item.js'

/** True if the sender is to hear of it. Without NOTIFY: of failures and delays. */
export function wants({ notice }: Pick<QueuedRecipient, 'notice'>, event: DsnEvent): boolean {
  const notify = notice?.notify ?? null
  return notify === null ? event !== 'success' : notify.includes(event)
}

/** The event that a final state is; `null` = none of ours to report. */
export function eventOf(state: RecipientState): DsnEvent | null {
  if (state === 'failed' || state === 'expired') return 'failure'
  return state === 'delivered' || state === 'relayed' ? 'success' : null
}

/** True if nobody wants to hear of this end: neither the sender nor, for mail without one, the postmaster. */
export function endsQuietly(
  { from }: Pick<QueueItem, 'from'>,
  recipient: QueuedRecipient,
): boolean {
  const event = eventOf(recipient.state)
  if (event === null || (from === null && event === 'success')) return true
  return !wants(recipient, event)
}
