/** From an envelope to what is kept of it while it waits, and back for those who deliver. */
import { createHash } from 'node:crypto'
import type { Address } from '../mail/address.js'
import type { Envelope, Notice } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { QueuedRecipient, QueueItem } from './item.js'

/** Characters of an id that stand in an id made from it. */
const KEPT = 24
/** Hexadecimal digits; together with the id they tell a few dozen occasions apart. */
const DIGEST = 12

/** @param now milliseconds since 1970 */
export function itemOf(
  envelope: Envelope,
  { size, lines }: Message,
  recipients: readonly QueuedRecipient[],
  now: number,
): QueueItem {
  const { id, from, client, smtputf8, eightBit, requireTls, reports = null } = envelope
  const wishes = { smtputf8, eightBit, requireTls, reports }
  const state = { received: now, waitedMs: 0, held: false }
  const { address, helo, secure, user } = client
  // What else a client may carry one day is nothing for the file.
  const known = { address, helo, secure, user }
  return { id, from, client: known, ...wishes, ...state, size, lines, recipients }
}

/** The envelope for some recipients of a message that has waited. */
export function envelopeFor(
  item: QueueItem,
  recipients: readonly { readonly to: Address; readonly notice: Notice | null }[],
): Envelope {
  const { id, from, client, smtputf8, eightBit, requireTls, reports } = item
  return {
    id,
    from,
    client,
    declaredSize: null,
    smtputf8,
    eightBit,
    requireTls,
    ...(reports === null ? {} : { reports }),
    to: recipients.map(({ to }) => to),
    notices: recipients.map(({ notice }) => notice),
  }
}

/**
 * The id of a message that is made from another one, the same each time for the same occasion:
 * made twice after a crash, it is still one message. Letters and digits, at most 37.
 * @param letter for people: what kind of message it is
 */
export function derivedId(id: string, letter: 'R' | 'N', occasion: string): string {
  const digest = createHash('sha256').update(`${letter} ${id} ${occasion}`).digest('hex')
  return `${id.slice(0, KEPT)}${letter}${digest.slice(0, DIGEST).toUpperCase()}`
}
