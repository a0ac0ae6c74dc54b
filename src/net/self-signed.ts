/** Makes the certificate of a server that was given none. The one door to selfsigned. */
import { isIP } from 'node:net'
import { generate } from 'selfsigned'

const YEARS = 10
/** X.520 allows no longer common name; the whole name stands in subjectAltName. */
const MAX_COMMON_NAME = 64

/**
 * A new P-256 key and a certificate for it, valid for ten years from yesterday
 * (the clock of a client may be behind).
 * @param hostname or an IP address
 * @returns key and certificate, both PEM, in one text
 */
export async function makeSelfSigned(hostname: string): Promise<string> {
  const altName =
    isIP(hostname) === 0
      ? ({ type: 2, value: hostname } as const)
      : ({ type: 7, ip: hostname } as const)
  const made = await generate([{ name: 'commonName', value: hostname.slice(0, MAX_COMMON_NAME) }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    ...validity(),
    extensions: [
      { name: 'basicConstraints', cA: false, critical: true },
      { name: 'keyUsage', digitalSignature: true, critical: true },
      { name: 'extKeyUsage', serverAuth: true },
      { name: 'subjectAltName', altNames: [altName] },
    ],
  })
  return `${made.private.trim()}\n${made.cert.trim()}\n`
}

function validity(): { notBeforeDate: Date; notAfterDate: Date } {
  const notBeforeDate = new Date()
  notBeforeDate.setUTCDate(notBeforeDate.getUTCDate() - 1)
  const notAfterDate = new Date(notBeforeDate)
  notAfterDate.setUTCFullYear(notAfterDate.getUTCFullYear() + YEARS)
  return { notBeforeDate, notAfterDate }
}
