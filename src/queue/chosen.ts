/** Whether a message that waits is meant by a choice, and which of its recipients. Pure. */
import { type Address, identity } from '../mail/address.js'
import { domainFits } from '../mail/domain-pattern.js'
import type { QueueChoice, QueueState } from '../mail/queue-choice.js'
import type { WaitingMessage } from './desk.js'
import type { QueuedRecipient, QueueItem } from './item.js'

/**
 * By place among its recipients; none = the message is not meant.
 * @param now milliseconds since 1970
 */
export function recipientsMeant(
  choice: QueueChoice,
  { item, active }: WaitingMessage,
  now: number,
): number[] {
  if (!messageFits(choice, item, now)) return []
  if (choice.state !== null && choice.state !== stateOf({ item, active })) return []
  const all = [...item.recipients.entries()]
  return all.filter(([, recipient]) => recipientFits(choice, recipient)).map(([at]) => at)
}

/** What a message does in the queue, in one word. */
export function stateOf({ item, active }: WaitingMessage): QueueState {
  if (active) return 'active'
  if (!item.recipients.some(({ state }) => state === 'waiting')) return 'ended'
  return item.held ? 'held' : 'waiting'
}

function messageFits({ ids, from, olderThanMs }: QueueChoice, item: QueueItem, now: number) {
  if (ids.length > 0 && !ids.includes(item.id)) return false
  if (olderThanMs !== null && now - item.received <= olderThanMs) return false
  return from === null || from === (item.from === null ? '' : identity(item.from))
}

function recipientFits({ to, domain }: QueueChoice, recipient: QueuedRecipient): boolean {
  const addresses = addressesOf(recipient)
  if (to !== null && !addresses.some((address) => identity(address) === to)) return false
  return domain === null || addresses.some((address) => domainFits(domain, address.domain))
}

/** The one that the sender wrote, and the one that an alias made of it. */
function addressesOf({ to, target }: QueuedRecipient): readonly Address[] {
  return target.kind === 'remote' ? [to, target.address] : [to]
}
