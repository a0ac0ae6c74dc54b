/** What is known of a server's TLS: version, certificate, and whether it is who we wanted to reach. */
import type { X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TlsDemand } from './hop.js'
import { daneProblem } from './tlsa-match.js'

export interface TlsFacts {
  /** `TLSv1.3`. */
  readonly version: string
  /** Its name in the standards. */
  readonly cipher: string
  /** What stands in the certificate's subjectAltName: `DNS:mx.example`, bounded. */
  readonly names: readonly string[]
  /** When the certificate ends, as OpenSSL writes it; empty without a certificate. */
  readonly validTo: string
  /** Why the certificate does not prove that this is the server; `null` = it does. */
  readonly problem: string | null
}

const MAX_NAMES = 50
const MAX_NAME = 255
/** RFC 9525 section 6.3: names in subjectAltName only, `*` for one whole label, the first one. */
const NAME_CHECK = {
  subject: 'never',
  partialWildcards: false,
  multiLabelWildcards: false,
} as const

/** @param name of the server, for demands that name none */
export function tlsFacts(tls: TLSSocket, demand: TlsDemand, name: string): TlsFacts {
  const certificate = tls.getPeerX509Certificate()
  return {
    version: tls.getProtocol() ?? '',
    cipher: tls.getCipher().standardName,
    names: altNames(certificate),
    validTo: certificate?.validTo ?? '',
    problem: certificate === undefined ? 'it has none' : problemOf(tls, certificate, demand, name),
  }
}

function problemOf(
  tls: TLSSocket,
  certificate: X509Certificate,
  demand: TlsDemand,
  name: string,
): string | null {
  if (demand.kind === 'dane') {
    const { records, names } = demand
    return daneProblem(certificate, records, () => nameProblem(certificate, names))
  }
  // Node has built the chain; the names are looked at here, as it knows only one name.
  if (!tls.authorized) return chainProblem(tls)
  return nameProblem(certificate, demand.kind === 'verify' ? demand.names : [name])
}

/** Node says a code like CERT_HAS_EXPIRED, though its types promise an Error. */
function chainProblem(tls: TLSSocket): string {
  const error: unknown = tls.authorizationError
  if (error instanceof Error) return error.message
  return typeof error === 'string' ? error : 'it is not trusted'
}

function nameProblem(certificate: X509Certificate, names: readonly string[]): string | null {
  if (names.some((name) => isNamed(certificate, name))) return null
  return `it is not for ${names.join(' or ')}`
}

/** What is no address in its one form (`127.1`) is a name, and no authority certifies such a name. */
function isNamed(certificate: X509Certificate, name: string): boolean {
  if (isIP(name) !== 0) return certificate.checkIP(name) !== undefined
  return certificate.checkHost(name, NAME_CHECK) !== undefined
}

function altNames(certificate: X509Certificate | undefined): string[] {
  const entries = certificate?.subjectAltName?.split(', ') ?? []
  return entries.slice(0, MAX_NAMES).map((entry) => entry.slice(0, MAX_NAME))
}
