/** Outcomes that we say ourselves, without a word of another server. */
import { Refusal } from '../mail/refusal.js'
import type { RelayOutcome, RelayWork } from './relay.js'

/** The same for all recipients. */
export function everyone({ recipients }: RelayWork, refusal: Refusal): readonly RelayOutcome[] {
  return recipients.map(() => saidByUs(refusal))
}

export const saidByUs = (refusal: Refusal): RelayOutcome => ({
  refusal,
  by: null,
  said: null,
  reportsItself: false,
})

/** A permanent "no" to us says nothing about the mail: it is tried again. */
export function later(why: Refusal): Refusal {
  if (why.temporary) return why
  return new Refusal(451, `4${why.status.slice(1)}`, why.message, { cause: why })
}
