/**
 * Mail addresses: RFC 5321 section 4.1.2 with RFC 6531's UTF-8, as values.
 * A local part is opaque: it is never split or parsed again after this file.
 */
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'

export interface Address {
  /** Without quotes and backslashes, NFC; the sender's spelling is kept. At most 64 octets. */
  readonly local: string
  /** A-labels in lower case, or an address literal with its brackets. At most 255 octets. */
  readonly domain: string
}

const MAX_LOCAL = 64
const MAX_DOMAIN = 255
/** Soft hyphen and joiners are parts of words; what else is invisible only misleads (RFC 6531). */
const ATOM = /^[\p{L}\p{M}\p{N}\p{S}\p{P}\u00ad\u200c\u200d]+$/u
const ATOM_FORBIDDEN = /[()<>[\]:;@\\,."]/
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
/** The three characters that NFC turns into ASCII: they look like what they become, and are refused. */
const DISGUISED_ASCII = /[\u037e\u1fef\u212a]/
const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/

/**
 * Reads `local@domain` (no angle brackets, no route).
 * @returns `null` if it is not an address
 */
export function parseAddress(text: string): Address | null {
  const at = endOfLocal(text)
  if (at === -1 || text[at] !== '@') return null
  const local = parseLocal(text.slice(0, at))
  const domain = parseDomain(text.slice(at + 1))
  return local === null || domain === null ? null : { local, domain }
}

/** What nearly every local part is. */
const PLAIN_ATOMS = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/

/** Reads a local part, quoted or not. @returns it unquoted and in NFC, or `null` */
export function parseLocal(text: string): string | null {
  if (PLAIN_ATOMS.test(text)) return text.length <= MAX_LOCAL ? text : null
  const raw = text.startsWith('"') ? unquote(text) : dotAtom(text)
  if (raw === null || raw === '') return null
  if (CONTROL.test(raw) || DISGUISED_ASCII.test(raw)) return null
  const local = raw.normalize('NFC')
  return Buffer.byteLength(local) <= MAX_LOCAL ? local : null
}

/**
 * Reads a domain or an address literal.
 * @returns A-labels in lower case; a literal as it stands, in lower case; or `null`
 */
export function parseDomain(text: string): string | null {
  if (seenDomains.has(text)) return text
  const domain = readDomain(text)
  if (domain === text) {
    if (seenDomains.size >= MAX_SEEN_DOMAINS) seenDomains.clear()
    seenDomains.add(text)
  }
  return domain
}

/** Domains that were read before and are in their canonical form: most mail is for the same few. */
const seenDomains = new Set<string>()
const MAX_SEEN_DOMAINS = 1_000

function readDomain(text: string): string | null {
  if (text.startsWith('[')) return parseLiteral(text)
  // Before anything is mapped: 255 characters can not become a shorter domain.
  if (text.length > MAX_DOMAIN) return null
  // domainToASCII is a URL parser's: what it would take for the end of a host must not reach it.
  if (/[\s/?#@:%\\[\]<>^|]/.test(text) || CONTROL.test(text)) return null
  const ascii = domainToASCII(text)
  // "127.1" and "0x7f.1" are IPv4 to a URL parser; to us a domain that ends in a number is none.
  if (ascii.length > MAX_DOMAIN || /(^|\.)\d+$/.test(ascii)) return null
  return ascii.split('.').every((label) => LABEL.test(label)) ? ascii : null
}

/** The identity of a local part here: NFC, ASCII letters in lower case, nothing else folded. */
export function foldLocal(local: string): string {
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  if (/^[\u0000-\u007f]*$/.test(local)) return local.toLowerCase()
  return local.normalize('NFC').replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

/** One string per identity: two spellings of one local mailbox give the same. */
export function identity(address: Address): string {
  return `${foldLocal(address.local)}@${address.domain}`
}

/** The address as it is written in a path, quoted where it must be. */
export function formatAddress(address: Address): string {
  const { local, domain } = address
  const plain = dotAtom(local) !== null
  return `${plain ? local : `"${local.replace(/["\\]/g, '\\$&')}"`}@${domain}`
}

/** True if the address needs SMTPUTF8 (RFC 6531). */
export function isInternational(address: Address): boolean {
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  return !/^[\u0000-\u007f]*$/.test(address.local)
}

/** Where the local part ends: the first `@` outside quotes; -1 if there is none. */
function endOfLocal(text: string): number {
  if (!text.startsWith('"')) return text.indexOf('@')
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') return at + 1
  }
  return -1
}

function dotAtom(text: string): string | null {
  if (PLAIN_ATOMS.test(text)) return text
  const whole = text.split('.').every((atom) => ATOM.test(atom) && !ATOM_FORBIDDEN.test(atom))
  return whole ? text : null
}

function unquote(text: string): string | null {
  const match = /^"((?:[^"\\]|\\.)*)"$/su.exec(text)
  return match ? match[1]!.replace(/\\(.)/gsu, '$1') : null
}

function parseLiteral(text: string): string | null {
  const inside = /^\[([0-9A-Za-z.:]+)\]$/.exec(text)?.[1]
  if (inside === undefined) return null
  const ip6 = /^IPv6:(.+)$/i.exec(inside)?.[1]
  const good = ip6 === undefined ? isIP(inside) === 4 : isIP(ip6) === 6
  return good ? text.toLowerCase() : null
}
