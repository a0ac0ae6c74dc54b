/** Which recipients of a message wait, which way each goes, and from when on: what all spools must see alike. Pure. */
import type { QueuedRecipient, QueueItem } from './item.js'

/** The way that a recipient goes as things are configured now; equal ways share connections and limits. */
export type LaneOf = (item: QueueItem, recipient: QueuedRecipient) => string

/** Recipients of one message that go one way. */
export interface Way {
  readonly lane: string
  /** When the first of them is due, milliseconds since 1970. */
  due: number
  /** By place in the item. */
  readonly recipients: { readonly at: number; readonly due: number }[]
}

/** When somebody is tried at the latest after he was tried: what lies further away was written by a clock that was wrong. */
export interface Horizon {
  /** Milliseconds since 1970. */
  readonly now: number
  /** The longest time between two tries, milliseconds. */
  readonly maxRetryMs: number
}

/** What waits and is not lent, by lane; nothing of a message that is held. */
export function waysOf(
  item: QueueItem,
  lent: ReadonlySet<number>,
  laneOf: LaneOf,
  { now, maxRetryMs }: Horizon,
): Map<string, Way> {
  const ways = new Map<string, Way>()
  if (item.held) return ways
  for (const [at, recipient] of item.recipients.entries()) {
    if (recipient.state !== 'waiting' || lent.has(at)) continue
    const due = recipient.next > now + maxRetryMs ? now : recipient.next
    const lane = laneOf(item, recipient)
    const way = ways.get(lane) ?? { lane, due, recipients: [] }
    way.due = Math.min(way.due, due)
    way.recipients.push({ at, due })
    ways.set(lane, way)
  }
  return ways
}

/** Those that are due so many milliseconds after the first of them was; always at least that one. */
export function dueOf(way: Way, elapsedMs: number): number[] {
  const last = way.due + Math.max(elapsedMs, 0)
  return way.recipients.filter(({ due }) => due <= last).map(({ at }) => at)
}

/** Nothing is left to do: such a message is taken out. */
export function isDone(item: QueueItem): boolean {
  return item.recipients.every(({ state, reported }) => state !== 'waiting' && reported)
}

/** Nobody is tried any more, and a sender is still to be told of it. */
export function isUntold(item: QueueItem): boolean {
  return item.recipients.every(({ state }) => state !== 'waiting') && !isDone(item)
}

/** @throws RangeError for a recipient that was not lent: it would undo what another worker wrote */
export function withChanges(
  item: QueueItem,
  lent: readonly number[],
  changes: ReadonlyMap<number, QueuedRecipient>,
): QueueItem {
  for (const at of changes.keys()) {
    if (!lent.includes(at)) throw new RangeError(`recipient ${at} is not lent with this job`)
  }
  const recipients = item.recipients.map((recipient, at) => changes.get(at) ?? recipient)
  return { ...item, recipients }
}
