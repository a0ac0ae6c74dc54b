/**
 * Channel bindings of a TLS connection, seen from the server: `tls-exporter`
 * (RFC 9266), `tls-server-end-point` and `tls-unique` (RFC 5929).
 */
import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'

/** RFC 9266 section 2. */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding'
const EXPORTER_OCTETS = 32

type Binding = (tls: TLSSocket) => Buffer | null

const BINDINGS: ReadonlyMap<string, Binding> = new Map<string, Binding>([
  ['tls-exporter', exported],
  ['tls-server-end-point', endPoint],
  ['tls-unique', unique],
])

/** @returns `null` if the connection has no binding of that type, or is gone */
export function channelBinding(tls: TLSSocket, type: string): Buffer | null {
  if (tls.destroyed) return null
  return BINDINGS.get(type)?.(tls) ?? null
}

/** Only TLS 1.3: before it would have to be the extended master secret, and Node does not tell (RFC 9266 section 4). */
function exported(tls: TLSSocket): Buffer | null {
  if (tls.getProtocol() !== 'TLSv1.3') return null
  return tls.exportKeyingMaterial(EXPORTER_OCTETS, EXPORTER_LABEL, Buffer.alloc(0))
}

/** The first Finished message. TLS 1.3 has none that would do, and a resumed session may share it with another one (RFC 7627). */
function unique(tls: TLSSocket): Buffer | null {
  if (tls.getProtocol() !== 'TLSv1.2' || tls.isSessionReused()) return null
  return tls.getPeerFinished() ?? null
}

/** Hash of our certificate (RFC 5929 section 4.1). */
function endPoint(tls: TLSSocket): Buffer | null {
  const certificate = tls.getX509Certificate()?.raw
  const algorithm = certificate === undefined ? null : signatureHash(certificate)
  if (certificate === undefined || algorithm === null) return null
  return createHash(algorithm).update(certificate).digest()
}

/** Object identifiers of signature algorithms, as DER in hexadecimal, and their hash; MD5 and SHA-1 count as SHA-256. */
const HASHES: ReadonlyMap<string, string> = new Map([
  ['2a864886f70d010104', 'sha256'],
  ['2a864886f70d010105', 'sha256'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d0401', 'sha256'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
])

/**
 * The hash in a certificate's signature. Node does not tell it: it stands in
 * the second element of the outer sequence (RFC 5280 section 4.1).
 * @returns `null` for a signature without a hash of its own (Ed25519), to which the binding does not apply
 */
export function signatureHash(certificate: Buffer): string | null {
  const signed = contents(certificate, 0)
  const algorithm = signed && contents(certificate, contents(certificate, signed.from)?.to ?? -1)
  const identifier = algorithm && contents(certificate, algorithm.from)
  if (!identifier) return null
  return HASHES.get(certificate.toString('hex', identifier.from, identifier.to)) ?? null
}

/** Where the contents of the DER element at that place begin and end (X.690 section 8.1). */
function contents(der: Buffer, at: number): { from: number; to: number } | null {
  const first = at < 0 ? undefined : der[at + 1]
  if (first === undefined) return null
  const more = first < 0x80 ? 0 : first & 0x7f
  if (more > 4 || at + 2 + more > der.length) return null
  const from = at + 2 + more
  const length = more === 0 ? first : der.readUIntBE(at + 2, more)
  return from + length <= der.length ? { from, to: from + length } : null
}
