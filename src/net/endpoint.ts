/** Where to listen: `25`, `127.0.0.1:25`, `[::1]:25`, `unix:/path?mode=660`. */
import { isIP } from 'node:net'

export type Endpoint = TcpEndpoint | UnixEndpoint

export interface TcpEndpoint {
  readonly kind: 'tcp'
  /** `null` = every address of the machine, IPv4 and IPv6. */
  readonly host: string | null
  /** 0 = any free port. */
  readonly port: number
}

export interface UnixEndpoint {
  readonly kind: 'unix'
  readonly path: string
  /** Permissions of the socket file. */
  readonly mode: number
}

/** The text is no endpoint; the message says what is wrong and what would be right. */
export class EndpointError extends Error {
  override readonly name: string = 'EndpointError'
}

/** A good endpoint of a kind that this version cannot listen on. */
export class EndpointUnsupported extends EndpointError {
  override readonly name = 'EndpointUnsupported'
}

const FORMS = 'use 25, 127.0.0.1:25, [::1]:25 or unix:/path'
const DEFAULT_MODE = 0o600
/** Longest path that fits into sockaddr_un with its NUL. */
const MAX_UNIX_PATH = 107

/** @throws EndpointError, EndpointUnsupported */
export function parseEndpoint(text: string): Endpoint {
  const question = text.indexOf('?')
  const place = question === -1 ? text : text.slice(0, question)
  const options = parseOptions(text, question === -1 ? '' : text.slice(question + 1))
  if (options.has('proxy')) {
    throw new EndpointUnsupported(`'${text}': the PROXY protocol is not in this version yet`)
  }
  if (/^systemd:./.test(place)) {
    throw new EndpointUnsupported(`'${text}': socket activation is not in this version yet`)
  }
  if (place.startsWith('unix:')) return unixEndpoint(text, place.slice(5), options.get('mode'))
  if (options.size > 0) throw new EndpointError(`'${text}': mode= is for unix: endpoints only`)
  return tcpEndpoint(text, place)
}

/** The endpoint as a person writes it. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`
  if (endpoint.host === null) return `*:${endpoint.port}`
  return formatHostPort(endpoint.host, endpoint.port)
}

export function formatHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}

function parseOptions(text: string, query: string): Map<string, string> {
  const options = new Map<string, string>()
  for (const part of query === '' ? [] : query.split('&')) {
    const [name = '', value = ''] = part.split('=', 2)
    if (!['mode', 'proxy'].includes(name) || value === '' || options.has(name)) {
      throw new EndpointError(`'${text}': '${part}' is no option; use mode=660 or proxy=CIDR,CIDR`)
    }
    options.set(name, value)
  }
  return options
}

function unixEndpoint(text: string, path: string, mode: string | undefined): UnixEndpoint {
  if (!path.startsWith('/'))
    throw new EndpointError(`'${text}': the socket's path must be absolute`)
  if (path.includes('\0') || Buffer.byteLength(path) > MAX_UNIX_PATH) {
    throw new EndpointError(`'${text}': a socket's path has at most ${MAX_UNIX_PATH} bytes`)
  }
  if (mode !== undefined && !/^0?[0-7]{3}$/.test(mode)) {
    throw new EndpointError(`'${text}': mode is three octal digits, such as 660`)
  }
  return { kind: 'unix', path, mode: mode === undefined ? DEFAULT_MODE : Number.parseInt(mode, 8) }
}

function tcpEndpoint(text: string, place: string): TcpEndpoint {
  if (/^\d+$/.test(place)) return { kind: 'tcp', host: null, port: parsePort(text, place) }
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d+)$/.exec(place)
  if (match === null) throw new EndpointError(`'${text}' is no endpoint; ${FORMS}`)
  const [, ip6, ip4, port] = match
  if (ip6 !== undefined ? isIP(ip6) !== 6 : isIP(ip4!) !== 4) {
    throw new EndpointError(`'${text}': '${ip6 ?? ip4}' is no IP address; ${FORMS}`)
  }
  return { kind: 'tcp', host: ip6 ?? ip4!, port: parsePort(text, port!) }
}

function parsePort(text: string, digits: string): number {
  const port = /^\d{1,5}$/.test(digits) ? Number(digits) : Infinity
  if (port > 65_535) throw new EndpointError(`'${text}': a port is 0 to 65535`)
  return port
}
