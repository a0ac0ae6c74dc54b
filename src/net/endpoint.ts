/** Where to listen: `25`, `127.0.0.1:25`, `[::1]:25?proxy=CIDR`, `unix:/path?mode=660`; and what can not be had at once. */
import { isIP } from 'node:net'
import { NetworkError, Networks } from './networks.js'

export type Endpoint = TcpEndpoint | UnixEndpoint

export interface TcpEndpoint {
  readonly kind: 'tcp'
  /** `null` = every address of the machine, IPv4 and IPv6. */
  readonly host: string | null
  /** 0 = any free port. */
  readonly port: number
  /** Who must say by the PROXY protocol for whom it speaks; `null` = nobody may. */
  readonly proxies: Networks | null
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
/** Of these the system hands out a new one each time. */
const ANY_PORT = 0
const ALL_IP4 = '0.0.0.0'
const ALL_IP6 = '::'

/** @throws EndpointError, EndpointUnsupported */
export function parseEndpoint(text: string): Endpoint {
  const question = text.indexOf('?')
  const place = question === -1 ? text : text.slice(0, question)
  const options = parseOptions(text, question === -1 ? '' : text.slice(question + 1))
  const proxies = options.has('proxy') ? proxiesOf(text, options.get('proxy')!) : null
  if (/^systemd:./.test(place)) {
    throw new EndpointUnsupported(`'${text}': socket activation is not in this version yet`)
  }
  if (place.startsWith('unix:')) {
    // Whoever connects there has no address by which it could be told from others.
    if (proxies !== null) throw new EndpointError(`'${text}': proxy= is for TCP endpoints only`)
    return unixEndpoint(text, place.slice(5), options.get('mode'))
  }
  if (options.has('mode')) throw new EndpointError(`'${text}': mode= is for unix: endpoints only`)
  return { ...tcpEndpoint(text, place), proxies }
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

/**
 * The first two endpoints that can not be listened on at once, by where they stand.
 * @param texts good endpoints
 * @returns `null` if all of them can
 */
export function clash(
  texts: readonly string[],
): { readonly one: number; readonly other: number } | null {
  const endpoints = texts.map(parseEndpoint)
  for (const [other, later] of endpoints.entries()) {
    const one = endpoints.slice(0, other).findIndex((earlier) => {
      if (earlier.kind === 'unix') return later.kind === 'unix' && earlier.path === later.path
      return later.kind === 'tcp' && sameSocket(earlier, later)
    })
    if (one !== -1) return { one, other }
  }
  return null
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

function proxiesOf(text: string, value: string): Networks {
  try {
    return new Networks(value.split(','))
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error
    throw new EndpointError(`'${text}': proxy=: ${error.message}`, { cause: error })
  }
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

function tcpEndpoint(text: string, place: string): Omit<TcpEndpoint, 'proxies'> {
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

function sameSocket(one: TcpEndpoint, other: TcpEndpoint): boolean {
  if (one.port !== other.port || one.port === ANY_PORT) return false
  const [a, b] = [hostOf(one), hostOf(other)]
  return a === b || covers(a, b) || covers(b, a)
}

/** `[::]` takes IPv4 clients, too. */
function covers(all: string, host: string): boolean {
  return all === ALL_IP6 || (all === ALL_IP4 && isIP(host) === 4)
}

/** An address in its one form. */
function hostOf({ host }: TcpEndpoint): string {
  if (host === null) return ALL_IP6
  // A zone (`fe80::1%eth0`) is no part of a URL.
  if (isIP(host) === 4 || host.includes('%')) return host
  return new URL(`http://[${host}]`).hostname.slice(1, -1)
}
