/**
 * A server that takes mail for other domains, as settings name it:
 * `smtp://[user@]host[:port]` (STARTTLS), `smtps://…` (TLS from the first byte,
 * RFC 8314 section 3.3), `lmtp://host:port` (RFC 2033). Pure.
 */
import { isIP } from 'node:net'
import { parseDomain } from './address.js'

export interface Smarthost {
  readonly scheme: 'smtp' | 'smtps' | 'lmtp'
  /** Login name there; `null` = no login. */
  readonly user: string | null
  /** A-labels in lower case, or an IP address without brackets. */
  readonly host: string
  readonly port: number
}

/** For messages: what is right. */
export const SMARTHOST_FORM =
  '"smtp://[user@]host[:port]", "smtps://[user@]host[:port]", "lmtp://host:port" or "mx"'

/** RFC 6409: own users' mail, with a login. */
const SUBMISSION_PORT = 587
const SMTP_PORT = 25
const SUBMISSIONS_PORT = 465
const MAX_PORT = 65_535
/** Octets; RFC 4616 section 2 takes as many in each of its parts. */
const MAX_USER = 255
/** To the last `@`: a login name is often an address. */
const URL_FORM =
  /^(smtps?|lmtp):\/\/(?:(.*)@)?(?:\[([0-9A-Fa-f:.]+)\]|([^@:/?#[\]]+))(?::([1-9]\d{0,4}))?\/?$/
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f]/
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/

/** Why a text names no smarthost: never with the text, which may hold a password. */
export interface NoSmarthost {
  readonly problem: string
}

/** @param text never repeated in the answer */
export function parseSmarthost(text: string): Smarthost | NoSmarthost {
  const [, scheme, login, ip6, name, digits] = URL_FORM.exec(text) ?? []
  if (scheme === undefined || CONTROL.test(text)) return expected
  if (login?.includes(':') === true) return passwordInside
  const user = login === undefined ? null : userOf(login)
  const host = ip6 === undefined ? hostOf(name!) : ip6Of(ip6)
  if (user === undefined || host === null) return expected
  if (scheme === 'lmtp') {
    if (user !== null) return { problem: 'lmtp:// has no login; leave out the user' }
    if (digits === undefined) return { problem: 'lmtp:// needs a port; write lmtp://host:port' }
  }
  const port = digits === undefined ? usualPort(scheme, user) : Number(digits)
  return port > MAX_PORT ? expected : { scheme: scheme as Smarthost['scheme'], user, host, port }
}

/** The URL in its one form, with its port. */
export function formatSmarthost({ scheme, user, host, port }: Smarthost): string {
  const login = user === null ? '' : `${encodeURIComponent(user)}@`
  return `${scheme}://${login}${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** True if nothing that is said to it leaves this machine, as far as its name tells. */
export const isLoopback = ({ host }: Pick<Smarthost, 'host'>): boolean => LOOPBACK.test(host)

const expected: NoSmarthost = { problem: `expected ${SMARTHOST_FORM}` }
const passwordInside: NoSmarthost = {
  problem: 'no password belongs into the URL, others could read it; put it into a password file',
}

function usualPort(scheme: string, user: string | null): number {
  if (scheme === 'smtps') return SUBMISSIONS_PORT
  return user === null ? SMTP_PORT : SUBMISSION_PORT
}

/** @returns `undefined` if it is none */
function userOf(said: string): string | undefined {
  try {
    const user = decodeURIComponent(said)
    const good = user !== '' && Buffer.byteLength(user) <= MAX_USER && !CONTROL.test(user)
    return good ? user : undefined
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}

function hostOf(said: string): string | null {
  return isIP(said) === 4 ? said : parseDomain(said)
}

function ip6Of(said: string): string | null {
  return isIP(said) === 6 ? new URL(`http://[${said}]`).hostname.slice(1, -1) : null
}
