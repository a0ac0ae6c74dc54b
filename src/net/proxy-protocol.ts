/**
 * The header in which a proxy says for whom it speaks: the PROXY protocol of
 * HAProxy (proxy-protocol.txt), versions 1 and 2. Pure: bytes in, and out comes
 * the header, that it is not whole yet, or that it never will be one.
 */
import { isIP } from 'node:net'
import { formatIp, octetsOf } from './ip.js'

export interface ProxyHeader {
  /** Octets that it takes; what follows belongs to the client. */
  readonly length: number
  /** `null`: the proxy itself (LOCAL), or a UNIX socket there; `unknown`: it does not say whom. */
  readonly client: ProxiedClient | 'unknown' | null
  /** What the proxy says of TLS 1.2 or later between the client and itself; `null` = nothing. */
  readonly tls: { readonly version: string; readonly cipher: string } | null
}

export interface ProxiedClient {
  /** An IP address, as `Peer` has it. */
  readonly address: string
  readonly port: number
}

export type ProxyStep =
  | { readonly kind: 'more' }
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  | { readonly kind: 'malformed'; readonly why: string }

/** Section 2.1: the longest line, its end counted. */
const MAX_V1 = 107
/** Section 2.2: what every receiver must take behind the first 16 octets, and more than any proxy sends. */
const MAX_V2 = 536
const V1_START = Buffer.from('PROXY ')
const V2_START = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
/** Signature, version and command, family, length. */
const V2_FIXED = 16
const LOCAL = 0x20
const PROXY = 0x21
/** Family and transport → octets of one address; 0 for what is no IP address. Datagrams have no place here. */
const FAMILIES = new Map([
  [0x00, { address: 0, all: 0 }],
  [0x11, { address: 4, all: 12 }],
  [0x21, { address: 16, all: 36 }],
  [0x31, { address: 0, all: 216 }],
])
const TLV_HEAD = 3
const TYPE_SSL = 0x20
const SUBTYPE_VERSION = 0x21
const SUBTYPE_CIPHER = 0x23
/** First octet of an SSL vector: the client spoke TLS on this very connection. */
const CLIENT_SSL = 0x01
/** Of an SSL vector: the flags, and the result of a check of the client's certificate. */
const SSL_FIXED = 5

const MORE: ProxyStep = { kind: 'more' }
const malformed = (why: string): ProxyStep => ({ kind: 'malformed', why })

/** @param bytes all that came so far: wherever TCP split it, the outcome is the same */
export function parseProxyHeader(bytes: Buffer): ProxyStep {
  if (begins(bytes, V1_START)) return version1(bytes)
  if (begins(bytes, V2_START)) return version2(bytes)
  return malformed('no PROXY header')
}

/** True if the bytes are so far what they should be. */
function begins(bytes: Buffer, start: Buffer): boolean {
  const length = Math.min(bytes.length, start.length)
  return bytes.subarray(0, length).equals(start.subarray(0, length))
}

function version1(bytes: Buffer): ProxyStep {
  const end = bytes.subarray(0, MAX_V1).indexOf('\r\n')
  if (end !== -1) return line(bytes.toString('latin1', 0, end))
  return bytes.length < MAX_V1 ? MORE : malformed('a line without end')
}

function line(text: string): ProxyStep {
  const length = text.length + 2
  if (/^PROXY UNKNOWN(?: |$)/.test(text)) {
    return { kind: 'header', header: { length, client: 'unknown', tls: null } }
  }
  const [, family, ...words] = /^PROXY TCP([46]) (\S+) (\S+) (\S+) (\S+)$/.exec(text) ?? []
  const [from = '', to = '', fromPort = '', toPort = ''] = words
  const good = [from, to].every((address) => isAddress(address, Number(family)))
  if (!good || !isPort(fromPort) || !isPort(toPort)) return malformed('a line of another form')
  const address = formatIp(octetsOf(from)!)
  const client = { address, port: Number(fromPort) }
  return { kind: 'header', header: { length, client, tls: null } }
}

function isAddress(text: string, family: number): boolean {
  return isIP(text) === family && !text.includes('%')
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535
}

function version2(bytes: Buffer): ProxyStep {
  if (bytes.length < V2_FIXED) return MORE
  const [command, family] = [bytes[12]!, bytes[13]!]
  const size = bytes.readUInt16BE(14)
  if (command !== LOCAL && command !== PROXY) return malformed('an unknown version or command')
  if (size > MAX_V2) return malformed('too long')
  const shape = command === LOCAL ? FAMILIES.get(0) : FAMILIES.get(family)
  if (shape === undefined || size < shape.all) return malformed('an unknown family of addresses')
  const length = V2_FIXED + size
  if (bytes.length < length) return MORE
  const rest = bytes.subarray(V2_FIXED, length)
  if (shape.address === 0) {
    const client = command === PROXY && shape.all === 0 ? 'unknown' : null
    return { kind: 'header', header: { length, client, tls: null } }
  }
  const vectors = vectorsOf(rest.subarray(shape.all))
  if (vectors === null) return malformed('a vector that is cut off')
  const client = clientOf(rest, shape.address)
  return { kind: 'header', header: { length, client, tls: tlsOf(vectors.get(TYPE_SSL)) } }
}

/** Both addresses, then both ports; the client's come first. */
function clientOf(rest: Buffer, size: number): ProxiedClient {
  return { address: formatIp(rest.subarray(0, size)), port: rest.readUInt16BE(size * 2) }
}

/** Type → value, of several with one type the first. @returns `null` if one is longer than there is room for */
function vectorsOf(bytes: Buffer): Map<number, Buffer> | null {
  const found = new Map<number, Buffer>()
  for (let at = 0; at < bytes.length;) {
    if (at + TLV_HEAD > bytes.length) return null
    const end = at + TLV_HEAD + bytes.readUInt16BE(at + 1)
    if (end > bytes.length) return null
    const type = bytes[at]!
    if (!found.has(type)) found.set(type, bytes.subarray(at + TLV_HEAD, end))
    at = end
  }
  return found
}

/** Only what is beyond doubt counts as TLS: the flag for this connection, and a version that is in use. */
function tlsOf(vector: Buffer | undefined): ProxyHeader['tls'] {
  if (vector === undefined || vector.length < SSL_FIXED) return null
  const details = (vector[0]! & CLIENT_SSL) === 0 ? null : vectorsOf(vector.subarray(SSL_FIXED))
  const version = details?.get(SUBTYPE_VERSION)?.toString('latin1') ?? ''
  const cipher = details?.get(SUBTYPE_CIPHER)?.toString('latin1') ?? ''
  if (!/^TLSv1\.[23]$/.test(version)) return null
  return { version, cipher: /^[A-Za-z0-9_-]{1,64}$/.test(cipher) ? cipher : 'unknown' }
}
