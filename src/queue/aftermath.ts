/**
 * What a try makes of a waiting recipient: a 4xx waits on (RFC 5321 section 4.2.1), or has waited
 * too long; a 5xx has failed for good; everything else has arrived.
 */
import type { Refusal } from '../mail/refusal.js'
import type { QueuedRecipient, QueueItem, RecipientState, Trouble } from './item.js'
import { type Schedule, waitAfter } from './schedule.js'
import { endsQuietly } from './wishes.js'

/** Characters of an answer that are kept. */
const MAX_TEXT = 500
/** What is not printable ASCII; a reply of another server may hold anything. */
const ODD = /[^ -~]/g

/** How one try ended. */
export interface Ending {
  /** `null` = it is in other hands. */
  readonly refusal: Refusal | null
  /** What it is if there is no refusal. */
  readonly arrived: RecipientState
  /** The server that said so; `null` if we did. */
  readonly by: string | null
  /** What that server said, as it came; `null` if nothing. */
  readonly said: string | null
}

/** What decides what comes next. */
export interface Circumstances {
  readonly schedule: Schedule
  /** Milliseconds since 1970. */
  readonly now: number
  /** 0 to below 1. */
  readonly random: () => number
}

/** The recipient after a try; a recipient that ends as nobody asked to hear counts as reported. */
export function after(
  item: Pick<QueueItem, 'from' | 'waitedMs'>,
  recipient: QueuedRecipient,
  ending: Ending,
  circumstances: Circumstances,
): QueuedRecipient {
  const tried = { ...recipient, attempts: recipient.attempts + 1 }
  const { refusal } = ending
  if (refusal === null) return ended(item, { ...tried, state: ending.arrived })
  const { schedule, now, random } = circumstances
  const failed = { ...tried, trouble: troubleOf(refusal, now, ending) }
  if (!refusal.temporary) return ended(item, { ...failed, state: 'failed' })
  if (item.waitedMs >= schedule.expireMs) return ended(item, { ...failed, state: 'expired' })
  return { ...failed, next: now + waitAfter(tried.attempts, item.waitedMs, schedule, random) }
}

/** @param now milliseconds since 1970 */
export function troubleOf(
  { code, status, message }: Refusal,
  now: number,
  { by, said }: Pick<Ending, 'by' | 'said'> = { by: null, said: null },
): Trouble {
  const text = (said ?? message).replace(ODD, '?').slice(0, MAX_TEXT)
  return { code, status, text, by, at: now }
}

function ended(item: Pick<QueueItem, 'from'>, recipient: QueuedRecipient): QueuedRecipient {
  return { ...recipient, reported: endsQuietly(item, recipient) }
}
