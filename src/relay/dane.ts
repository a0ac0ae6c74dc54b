/** The certificates that a mail server may show, as the signed DNS tells them: RFC 6698, for SMTP RFC 7672. */
import type { Dns } from './dns.js'
import type { TlsaRecord } from './hop.js'

/** RFC 7672 section 3.1: DANE-TA and DANE-EE. Of the others an SMTP client knows nothing. */
const USAGES: ReadonlySet<number> = new Set([2, 3])
/** The whole certificate, or its public key. */
const SELECTORS: ReadonlySet<number> = new Set([0, 1])
/** Octets of the data by matching type: SHA-256, SHA-512; type 0 has no fixed length. */
const DIGESTS: ReadonlyMap<number, number> = new Map([
  [1, 32],
  [2, 64],
])
const EXACT = 0
/** Records that count; more would only cost time. */
const MAX_RECORDS = 50

/** A mail server whose MX and address records are both signed. */
export interface SignedHost {
  readonly name: string
  /** What the name stands for, itself if it is no alias. */
  readonly canonical: string
}

/** `none` = no TLSA; `unusable` = there is one, but none that we can check: TLS, whoever it is. */
export type DaneFinding =
  | { readonly kind: 'none' | 'unusable' }
  | { readonly kind: 'usable'; readonly base: string; readonly records: readonly TlsaRecord[] }

/**
 * Looks at what the name stands for first, then at the name (RFC 7672 section 2.2.2).
 * @throws DnsFailure when the DNS cannot tell, or signatures are wrong: the server is not to be used then
 */
export async function findDane(
  dns: Dns,
  { name, canonical }: SignedHost,
  port: number,
): Promise<DaneFinding> {
  for (const base of new Set([canonical, name])) {
    const { records, authentic } = await dns.lookup(`_${port}._tcp.${base}`, 'TLSA')
    if (records.length === 0 || !authentic) continue
    const usable = records.filter(isUsable).slice(0, MAX_RECORDS)
    return usable.length === 0 ? { kind: 'unusable' } : { kind: 'usable', base, records: usable }
  }
  return { kind: 'none' }
}

function isUsable({ usage, selector, matching, data }: TlsaRecord): boolean {
  if (!USAGES.has(usage) || !SELECTORS.has(selector)) return false
  return matching === EXACT ? data.length > 0 : DIGESTS.get(matching) === data.length
}
