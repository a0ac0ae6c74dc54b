/** What the world must be told of a key: the TXT record of RFC 6376 section 3.6, RFC 8463 section 4. */
import { createPublicKey } from 'node:crypto'
import type { SigningKey } from './signature.js'

/** Octets of one string of a TXT record (RFC 1035 section 3.3). */
const MAX_STRING = 255
/** Octets before the key itself in what DER says of an Ed25519 key (RFC 8410 section 4). */
const ED25519_PREFIX = 12

export interface KeyRecord {
  /** Without a dot at its end. */
  readonly name: string
  /** Verifiers put these together without anything between them. */
  readonly strings: readonly string[]
}

/** @param domain in A-labels */
export function keyRecord({ selector, algorithm, key }: SigningKey, domain: string): KeyRecord {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const bytes = algorithm === 'rsa' ? der : der.subarray(ED25519_PREFIX)
  const value = `v=DKIM1; k=${algorithm}; p=${bytes.toString('base64')}`
  return { name: `${selector}._domainkey.${domain}`, strings: pieces(value) }
}

function pieces(value: string): string[] {
  const count = Math.ceil(value.length / MAX_STRING)
  return Array.from({ length: count }, (_, at) =>
    value.slice(at * MAX_STRING, (at + 1) * MAX_STRING),
  )
}
