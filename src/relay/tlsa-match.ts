/** Whether a certificate is one of those that the signed DNS names: DANE-EE and DANE-TA for SMTP (RFC 7672 section 3.1). */
import { createHash, type X509Certificate } from 'node:crypto'
import type { TlsaRecord } from './hop.js'

const TRUST_ANCHOR = 2
const END_ENTITY = 3
const WHOLE = 0
const PUBLIC_KEY = 1
const DIGESTS: ReadonlyMap<number, string> = new Map([
  [1, 'sha256'],
  [2, 'sha512'],
])
/** Certificates of a chain that are looked at. */
const MAX_CHAIN = 10

/**
 * @param certificate with its issuers, as the server sent them
 * @param nameProblem is asked only where names count
 * @returns `null` if a record matches
 */
export function daneProblem(
  certificate: X509Certificate,
  records: readonly TlsaRecord[],
  nameProblem: () => string | null,
): string | null {
  const own = records.filter(({ usage }) => usage === END_ENTITY)
  // RFC 7672 section 3.1.1: neither its names nor its dates count, the DNS vouches for all of it.
  if (own.some((record) => matches(record, certificate))) return null
  const anchors = records.filter(({ usage }) => usage === TRUST_ANCHOR)
  if (!leadsTo(anchors, certificate)) return 'no TLSA record of its name matches it'
  return nameProblem()
}

/** Each one is signed by the next and valid now, up to one that a record names. */
function leadsTo(anchors: readonly TlsaRecord[], leaf: X509Certificate): boolean {
  let certificate = leaf
  for (let depth = 0; anchors.length > 0 && depth < MAX_CHAIN; depth++) {
    const issuer = certificate.issuerCertificate
    if (!isCurrent(certificate) || issuer === undefined) return false
    if (!issuer.ca || !isSignedBy(certificate, issuer)) return false
    if (anchors.some((record) => matches(record, issuer))) return isCurrent(issuer)
    certificate = issuer
  }
  return false
}

function isCurrent({ validFrom, validTo }: X509Certificate): boolean {
  const now = Date.now()
  return Date.parse(validFrom) <= now && now <= Date.parse(validTo)
}

function isSignedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  try {
    return certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
  } catch {
    // A key of a kind that OpenSSL cannot verify with.
    return false
  }
}

function matches({ selector, matching, data }: TlsaRecord, certificate: X509Certificate): boolean {
  const selected = selectedOf(certificate, selector)
  if (selected === null) return false
  if (matching === 0) return selected.equals(data)
  const digest = DIGESTS.get(matching)
  return digest !== undefined && createHash(digest).update(selected).digest().equals(data)
}

/** RFC 6698 section 2.1.2. */
function selectedOf(certificate: X509Certificate, selector: number): Buffer | null {
  if (selector === WHOLE) return certificate.raw
  if (selector !== PUBLIC_KEY) return null
  try {
    return certificate.publicKey.export({ type: 'spki', format: 'der' })
  } catch {
    return null
  }
}
