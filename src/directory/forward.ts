/** What a user file may say of where the user's mail goes: `forward = ["a@b.org"]`. Pure. */
import { parseAddress, type Address } from '../mail/address.js'

/** Addresses that one user forwards to: it is a person, not a list. */
const MAX_FORWARDS = 100
/** For messages: what is right. */
export const FORWARD_FORM = `a list of addresses such as ["a@example.com"], at most ${MAX_FORWARDS}`

/** @returns `null` if it is no such list. Programs and files are the administrator's, in aliases. */
export function parseForward(value: unknown): readonly Address[] | null {
  if (!Array.isArray(value) || value.length > MAX_FORWARDS) return null
  const addresses = value.map((each) => (typeof each === 'string' ? parseAddress(each) : null))
  return addresses.every((each) => each !== null) ? addresses : null
}
