/**
 * SMTP has one reply for all recipients of a message (RFC 5321 section 4.2.5).
 * If some have it and others do not, the client is told to come again, and
 * those who have it get a second copy: twice is better than never.
 */
import type { Outcome } from '../mail/outcome.js'
import { type Refusal, tryLater } from '../mail/refusal.js'

/** @returns what the client must hear, permanent only if every recipient failed for good; `null` = accepted */
export function verdict(outcomes: readonly Outcome[], recipients: number): Refusal | null {
  // Whoever nobody tells of does not have the mail.
  if (outcomes.length < recipients) return tryLater(new Error('no outcome for a recipient'))
  const refusals = outcomes.flatMap(({ refusal }) => refusal ?? [])
  const [first] = refusals
  if (first === undefined) return null
  const temporary = refusals.find((refusal) => refusal.temporary)
  if (temporary !== undefined) return temporary
  // A "no" for one must not be heard as a "no" for all; the next RCPT will say who it is.
  return refusals.length === outcomes.length ? first : tryLater(first)
}
