/**
 * The ids that Courier's POP3 server gives to the messages of a Maildir. It
 * has had four forms of `courierpop3dsizelist`:
 *
 *     name size                  no header line; the id is the name
 *     name size n                after `/1 next`; the id is `UIDn`
 *     name size n:v              after `/2 next v`; the id is `UIDn-v`
 *     name size n:v:utf8         after `/3 next v`; the id is `UIDn-v`
 *
 * and ids of an older form stay what they were when the file gets newer: with
 * v = 0 it is `UIDn`, with n = 0 it is the name.
 */
import { baseOf } from './names.js'
import { broken, byText, type KnownMessage, linesOf } from './foreign.js'

export const COURIER_FILE = 'courierpop3dsizelist'
export const COURIER_IMAP_FILE = 'courierimapuiddb'

const HEADER = /^\/([123]) \d{1,20}(?: \d{1,20})?$/
const RECORDS: readonly RegExp[] = [
  /^([^/]+) \d{1,20}$/,
  /^([^/]+) \d{1,20} (\d{1,20})$/,
  /^([^/]+) \d{1,20} (\d{1,20}):(\d{1,20})$/,
  /^([^/]+) \d{1,20} (\d{1,20}):(\d{1,20}):\d{1,10}$/,
]
const IMAP_HEADER = /^1 (\d{1,20}) \d{1,20}(?: .*)?$/
const IMAP_RECORD = /^(\d{1,20}) ([^/]+)$/
const ZERO = /^0*$/
const LEADING_ZEROS = /^0+(?=\d)/

/**
 * @param text of `courierpop3dsizelist`, a character per octet
 * @returns by the order of its listing
 * @throws ForeignFault
 */
export function knownToCourier(text: string): KnownMessage[] {
  const lines = linesOf(text, COURIER_FILE)
  const version = headerVersion(lines[0] ?? '')
  const first = version === 0 ? 0 : 1
  const known = lines.slice(first).map((line, at) => {
    const [, name, n = '0', v = '0'] = RECORDS[version]!.exec(line) ?? []
    if (name === undefined) throw broken(COURIER_FILE, at + first + 1, 'no message of this version')
    const base = baseOf(name)
    return { base, uid: uidOf(base, n, v) }
  })
  return known.toSorted((a, b) => inOrder(a.base, b.base))
}

/**
 * Where POP3 was never used: no client knows an id, and those that IMAP has
 * are as good as any.
 * @param text of `courierimapuiddb`, a character per octet
 * @throws ForeignFault
 */
export function knownToCourierImap(text: string): KnownMessage[] {
  const [header = '', ...lines] = linesOf(text, COURIER_IMAP_FILE)
  const validity = IMAP_HEADER.exec(header)?.[1]
  if (validity === undefined) throw broken(COURIER_IMAP_FILE, 1, 'no UIDVALIDITY')
  const known = lines.map((line, at) => {
    const [, uid, name] = IMAP_RECORD.exec(line) ?? []
    if (uid === undefined || name === undefined)
      throw broken(COURIER_IMAP_FILE, at + 2, 'no UID and name')
    const base = baseOf(name)
    return { base, uid: uidOf(base, uid, validity) }
  })
  return known.toSorted((a, b) => inOrder(a.base, b.base))
}

/** A file without a header is the oldest form; whether its lines are, they tell themselves. */
function headerVersion(line: string): number {
  const version = HEADER.exec(line)?.[1]
  if (version !== undefined) return Number(version)
  if (line.startsWith('/')) throw broken(COURIER_FILE, 1, 'another version than 1 to 3')
  return 0
}

function uidOf(base: string, n: string, v: string): string {
  if (ZERO.test(n)) return escaped(base)
  const number = n.replace(LEADING_ZEROS, '')
  return ZERO.test(v) ? `UID${number}` : `UID${number}-${v.replace(LEADING_ZEROS, '')}`
}

/** What UIDL cannot say, and quotes, as `+XX`. */
function escaped(base: string): string {
  return base.replace(/[^!-~]|['"+]/g, (character) => {
    return `+${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  })
}

/** By the number that a name begins with, then by its characters. */
function inOrder(a: string, b: string): number {
  const [first, second] = [leadingNumber(a), leadingNumber(b)]
  if (first !== second) return first - second
  return byText(a, b)
}

function leadingNumber(name: string): number {
  return Number(/^\d{1,15}/.exec(name)?.[0] ?? 0)
}
