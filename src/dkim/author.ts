/** Whom a message says it is from: the domain that its signature must be of (RFC 7489 section 3.1.1). */
import { parseAddressList } from '../mail/address-list.js'
import type { HeaderField } from '../mail/headers.js'

/** @returns `null` if there is not exactly one From field, or not exactly one domain in it */
export function authorDomain(fields: readonly HeaderField[]): string | null {
  const [from, ...others] = fields.filter((field) => field.is('From'))
  if (from === undefined || others.length > 0) return null
  const { addresses, faults } = parseAddressList(from.text)
  const domains = new Set(addresses.map(({ domain }) => domain))
  const [domain] = domains
  return faults.length === 0 && domains.size === 1 ? (domain ?? null) : null
}
