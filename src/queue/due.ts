/** Which recipients of a message the sender is to be told of now (RFC 3461 section 4.1, RFC 3464), and how. */
import { identity } from '../mail/address.js'
import type { DsnAction } from '../dsn/dsn.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import type { Schedule } from './schedule.js'
import { endsQuietly, eventOf, wants } from './wishes.js'

export interface Due {
  /** By place among the recipients: what the report says of them. */
  readonly told: ReadonlyMap<number, DsnAction>
  /** By place: those that ended as nobody wants to hear. */
  readonly quiet: readonly number[]
}

export function dueOf(item: QueueItem, schedule: Schedule): Due {
  const told = new Map<number, DsnAction>()
  const quiet: number[] = []
  for (const [at, recipient] of item.recipients.entries()) {
    const what = actionOf(item, recipient, schedule)
    if (what === 'quiet') quiet.push(at)
    else if (what !== null) told.set(at, what)
  }
  return { told, quiet }
}

/** `null` = nothing yet. */
function actionOf(
  item: QueueItem,
  recipient: QueuedRecipient,
  schedule: Schedule,
): DsnAction | 'quiet' | null {
  const { state, reported } = recipient
  if (state === 'waiting') return isLate(item, recipient, schedule) ? 'delayed' : null
  if (reported) return null
  if (endsQuietly(item, recipient)) return 'quiet'
  return eventOf(state) === 'failure' ? 'failed' : success(item, recipient)
}

function isLate(
  { from, waitedMs }: QueueItem,
  recipient: QueuedRecipient,
  { delayWarningMs }: Schedule,
): boolean {
  if (from === null || recipient.delayReported || waitedMs < delayWarningMs) return false
  return wants(recipient, 'delay')
}

/** An address with several places has its mail when all of them have. */
function success(item: QueueItem, { to, state }: QueuedRecipient): DsnAction | 'quiet' | null {
  const places = item.recipients.filter((other) => identity(other.to) === identity(to))
  if (places.some((place) => eventOf(place.state) === 'failure')) return 'quiet'
  if (places.some((place) => place.state === 'waiting')) return null
  return state === 'relayed' ? 'relayed' : 'delivered'
}
