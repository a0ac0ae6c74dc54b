/**
 * Where an LMTP server (RFC 2033) is: `lmtp:unix:/path` or `lmtp:host:port`,
 * as `deliver = "…"` says it for a domain or a user. Pure.
 */
import { isIP } from 'node:net'

export type LmtpPlace =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }

/** For messages: what is right. */
export const LMTP_FORM = '"lmtp:unix:/path" or "lmtp:host:port"'

/** Longest path that fits into sockaddr_un with its NUL. */
const MAX_UNIX_PATH = 107
const MAX_PORT = 65_535
/** Nothing else reaches the resolver of the system (NUL, blanks, non-canonical forms). */
const HOST = /^(?!-)[A-Za-z0-9.-]{1,253}$/
const UNIX = /^lmtp:unix:(\/.+)$/
const TCP = /^lmtp:(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):([1-9]\d{0,4})$/
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f]/

/** @returns `null` if the text is none */
export function parseLmtpPlace(text: string): LmtpPlace | null {
  if (CONTROL.test(text)) return null
  const path = UNIX.exec(text)?.[1]
  if (path !== undefined) {
    return Buffer.byteLength(path) <= MAX_UNIX_PATH ? { kind: 'unix', path } : null
  }
  const [, ip6, name, digits] = TCP.exec(text) ?? []
  const port = Number(digits)
  if (digits === undefined || port > MAX_PORT) return null
  if (ip6 !== undefined) return isIP(ip6) === 6 ? { kind: 'tcp', host: ip6, port } : null
  return HOST.test(name ?? '') ? { kind: 'tcp', host: name!, port } : null
}

/** The text that {@link parseLmtpPlace} took. */
export function formatLmtpPlace(place: LmtpPlace): string {
  if (place.kind === 'unix') return `lmtp:unix:${place.path}`
  const host = place.host.includes(':') ? `[${place.host}]` : place.host
  return `lmtp:${host}:${place.port}`
}
