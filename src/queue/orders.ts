/** What an administrator's order makes of a message. Pure. */
import type { QueueOrder, QueueVerb } from '../mail/queue-choice.js'
import { recipientsMeant } from './chosen.js'
import type { QueuedRecipient, QueueItem, Trouble } from './item.js'
import { endsQuietly } from './wishes.js'

export interface Changed {
  readonly item: QueueItem
  /** By place: the recipients that it was done for. */
  readonly touched: readonly number[]
}

const BOUNCED = { code: 550, status: '5.0.0', text: 'bounced by the administrator', by: null }

/**
 * @param item not lent to anybody @param now milliseconds since 1970
 * @returns `null` = there is nothing to change
 */
export function changedBy(
  { verb, choice }: QueueOrder,
  item: QueueItem,
  now: number,
): Changed | null {
  const isWaiting = (at: number): boolean => item.recipients[at]!.state === 'waiting'
  const meant = recipientsMeant(choice, { item, active: false }, now).filter(isWaiting)
  if (meant.length === 0) return null
  if (verb === 'hold' || verb === 'release') {
    const held = verb === 'hold'
    if (item.held === held) return null
    return { item: { ...item, held }, touched: [...item.recipients.keys()].filter(isWaiting) }
  }
  // Whoever held it wants it held whatever else is tried.
  if (verb === 'flush' && item.held) return null
  const recipients = item.recipients.map((recipient, at) =>
    meant.includes(at) ? CHANGES[verb](item, recipient, now) : recipient,
  )
  return { item: { ...item, recipients }, touched: meant }
}

type Change = (item: QueueItem, recipient: QueuedRecipient, now: number) => QueuedRecipient

const CHANGES: Readonly<Record<Exclude<QueueVerb, 'hold' | 'release'>, Change>> = {
  flush: (_, recipient, now) => ({ ...recipient, next: now }),
  drop: (_, recipient) => ({ ...recipient, state: 'dropped', reported: true }),
  bounce: (item, recipient, now) => {
    const trouble: Trouble = { ...BOUNCED, at: now }
    const failed = { ...recipient, state: 'failed', trouble } as const
    return { ...failed, reported: endsQuietly(item, failed) }
  },
}
