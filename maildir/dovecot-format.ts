/**
 * Dovecot's `pop3_uidl_format`: what UIDL says of a message. The short forms
 * of Dovecot up to 2.3 (`%08Xu%08Xv`) and the long ones since (`%{uid | hex(8)}`).
 */
import { createHash } from 'node:crypto'
import type { DovecotRecord } from './dovecot-uidlist.js'
import { ForeignFault } from './foreign.js'

/** Unless its config says otherwise. */
export const DEFAULT_FORMAT = '%08Xu%08Xv'

/** Longest format, and widest field, that is understood. */
const MAX_FORMAT = 200
const SHORT = /^%(?:0([1-9][0-9]?))?([XM]?)([uvgf])/
const LONG = /^%\{ *(uid|uidvalidity|guid|filename) *(?:\| *(hex|md5)(?:\(([1-9][0-9]?)\))? *)?\}/
const LITERAL = /^[!-$&-~]+|^%%/

type Field = (record: DovecotRecord, uidValidity: number) => string

const FIELDS: Readonly<Record<string, Field>> = {
  u: ({ uid }) => String(uid),
  v: (_, uidValidity) => String(uidValidity),
  g: ({ guid, base }) => guid ?? base,
  f: ({ base }) => base,
}
const LONG_NAMES: Readonly<Record<string, string>> = {
  uid: 'u',
  uidvalidity: 'v',
  guid: 'g',
  filename: 'f',
}
const FILTERS: Readonly<Record<string, string>> = { '': '', hex: 'X', md5: 'M' }

/** Makes ids by a format. */
export type UidlFormat = Field

/** @throws ForeignFault when a part of it is not understood */
export function parseUidlFormat(format: string): UidlFormat {
  if (format === '' || format.length > MAX_FORMAT) throw notUnderstood(format)
  const parts: Field[] = []
  for (let rest = format; rest !== '';) {
    const [length, part] = firstPart(rest) ?? [0, null]
    if (part === null) throw notUnderstood(rest)
    parts.push(part)
    rest = rest.slice(length)
  }
  return (record, uidValidity) => parts.map((part) => part(record, uidValidity)).join('')
}

/** How many characters the first part takes, and what it makes. */
function firstPart(text: string): [number, Field] | null {
  const literal = LITERAL.exec(text)?.[0]
  if (literal !== undefined) return [literal.length, () => (literal === '%%' ? '%' : literal)]
  const short = SHORT.exec(text)
  if (short !== null) {
    const [all, width, change, name] = short
    return [all.length, field(name!, change!, width)]
  }
  const long = LONG.exec(text)
  if (long === null) return null
  const [all, name, filter, width] = long
  return [all.length, field(LONG_NAMES[name!]!, FILTERS[filter ?? '']!, width)]
}

/** @param change `X` hexadecimal, `M` MD5, or nothing */
function field(name: string, change: string, width = '0'): Field {
  const plain = FIELDS[name]!
  return (record, uidValidity) => {
    return changed(plain(record, uidValidity), change).padStart(Number(width), '0')
  }
}

function changed(text: string, change: string): string {
  if (change === 'M') return createHash('md5').update(text, 'latin1').digest('hex')
  if (change !== 'X') return text
  // What is no number is 0 there.
  return /^[0-9]{1,15}$/.test(text) ? Number(text).toString(16) : '0'
}

function notUnderstood(text: string): ForeignFault {
  const forms = '%u %v %g %f with X, M or a width such as %08Xu, and %{uid | hex(8)}'
  return new ForeignFault(`'${text}': not understood as a pop3_uidl_format (known: ${forms})`)
}
