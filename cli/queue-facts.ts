/** What is told of a message that waits, to people and to programs. */
import { placeOf, type Target } from '../src/directory/directory.js'
import { type Address, formatAddress } from '../src/mail/address.js'
import { stateOf } from '../src/queue/chosen.js'
import type { WaitingMessage } from '../src/queue/desk.js'
import type { QueuedRecipient, QueueItem, Trouble } from '../src/queue/item.js'

/** The reverse-path as people write it. */
export const pathOf = (from: Address | null): string => (from === null ? '<>' : formatAddress(from))

/** Octets on the wire: each line ends in CR LF there. */
export const sizeOf = ({ size, lines }: QueueItem): number => size + lines

/** For programs: times as ISO 8601. */
export function factsOf({ item, active }: WaitingMessage) {
  const { id, received, waitedMs, from, client, recipients } = item
  return {
    id,
    state: stateOf({ item, active }),
    received: moment(received),
    waitedSeconds: Math.floor(waitedMs / 1000),
    from: from === null ? null : formatAddress(from),
    size: sizeOf(item),
    client: client.address,
    user: client.user,
    recipients: recipients.map(recipientFacts),
  }
}

function recipientFacts({ to, target, state, attempts, next, trouble }: QueuedRecipient) {
  return {
    to: formatAddress(to),
    place: nameOf(target),
    state,
    attempts,
    next: state === 'waiting' ? moment(next) : null,
    trouble: trouble === null ? null : { ...trouble, at: moment(trouble.at) },
  }
}

/** What a server said, and which. */
export function troubleText({ text, by }: Trouble): string {
  return by === null ? text : `${by} said: ${text}`
}

/** In its largest unit: `40s`, `5m`, `3h`, `2d`. */
export function shortSpan(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms >= each) ?? ['s', 1_000]
  return `${Math.max(0, Math.floor(ms / length))}${unit}`
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
] as const

/** The arguments of a program may be secrets. */
function nameOf(target: Target): string {
  if (target.kind === 'remote') return formatAddress(target.address)
  return target.kind === 'program' ? `program ${target.command[0] ?? ''}` : placeOf(target)
}

/** A broken clock may have written what no date is. */
function moment(ms: number): string | null {
  const date = new Date(ms)
  return Number.isNaN(date.getTime()) ? null : date.toISOString()
}
