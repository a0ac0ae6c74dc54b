/** TLS as the side that connects (RFC 3207, RFC 8314, RFC 9325): 1.2 or newer, whoever it is; what was found is judged apart. */
import { constants } from 'node:crypto'
import { isIP } from 'node:net'
import {
  type ConnectionOptions,
  createSecureContext,
  rootCertificates,
  type SecureContext,
} from 'node:tls'
import type { Hop } from './hop.js'

/** Sets of authorities that are kept, as they are read from text: a route has one at most. */
const MAX_CONTEXTS = 20
/** What may stand in SNI (RFC 6066 section 3), in one case only. */
const HOST = /^(?=.{1,253}$)[a-z0-9_-]+(?:\.[a-z0-9_-]+)*$/

const contexts = new Map<string | null, SecureContext>()

/** @throws the error of OpenSSL when the authorities of the hop are no PEM */
export function tlsOptions({ name, tls }: Hop): ConnectionOptions {
  const host = name.toLowerCase()
  return {
    ...(isIP(host) === 0 && HOST.test(host) ? { servername: host } : {}),
    secureContext: contextFor(tls.kind === 'verify' ? tls.ca : null),
    // Nothing is sent before the certificate was judged by the demand, which knows DANE and
    // more than one name (tls-facts.ts); to end the handshake here would hide what is wrong.
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
  }
}

function contextFor(ca: string | null): SecureContext {
  const known = contexts.get(ca)
  if (known !== undefined) return known
  const context = createSecureContext({
    ...(ca === null ? {} : { ca: [...rootCertificates, ca] }),
    minVersion: 'TLSv1.2',
    secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
  })
  if (contexts.size >= MAX_CONTEXTS) contexts.clear()
  contexts.set(ca, context)
  return context
}
