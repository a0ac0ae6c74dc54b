/** Whom everybody must be able to reach, be it to say that a filter is wrong (RFC 5321 section 4.5.1, RFC 2142). */
import { type Address, foldLocal } from '../mail/address.js'

const EXEMPT: ReadonlySet<string> = new Set(['postmaster', 'abuse'])

/** True if no filter may stand before this recipient. */
export function isExempt({ local }: Address): boolean {
  return EXEMPT.has(foldLocal(local))
}
