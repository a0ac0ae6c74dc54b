/**
 * Reads `dovecot-uidlist` (versions 1 and 3): which message of a Maildir has
 * which IMAP UID, from which Dovecot makes the ids of POP3.
 */
import { baseOf } from './names.js'
import { broken, linesOf } from './foreign.js'

export const DOVECOT_FILE = 'dovecot-uidlist'

/** A 32-bit number that is not 0. */
const NUMBER = /^[1-9][0-9]{0,9}$/
const MAX_NUMBER = 2 ** 32 - 1
const HEADER_1 = /^1 (\d{1,10}) (\d{1,10})$/
const HEADER_3 = /^3((?: +[A-Z][^ ]*)+) *$/
const RECORD_1 = /^(\d{1,10}) +([^/]+)$/
/** UID, extensions, name: `7 W84 Pid :1234.M1P2.host,S=80:2,S`. */
const RECORD_3 = /^(\d{1,10})((?: +[A-Z][^ ]*)*) +:([^/]+)$/

/** One message in Dovecot's words. */
export interface DovecotRecord {
  readonly base: string
  readonly uid: number
  /** The id that POP3 shall say whatever its format is; `null` for none. */
  readonly saved: string | null
  /** The id that is the same in all mailboxes; `null` if it is the name. */
  readonly guid: string | null
  /** Its place in POP3's listing; `null`: after all that have one, by UID. */
  readonly order: number | null
}

export interface DovecotUidlist {
  readonly uidValidity: number
  /** By UID. */
  readonly records: readonly DovecotRecord[]
}

/**
 * @param text a character per octet
 * @throws ForeignFault for whatever Dovecot would not read either
 */
export function parseDovecotUidlist(text: string, file = DOVECOT_FILE): DovecotUidlist {
  const [header = '', ...lines] = linesOf(text, file)
  const { version, uidValidity } = parseHeader(header, file)
  const records = new Map<string, DovecotRecord>()
  let last = 0
  for (const [at, line] of lines.entries()) {
    const record = (version === 1 ? parseRecord1 : parseRecord3)(line)
    if (record === null) throw broken(file, at + 2, 'no UID, or no name')
    if (record.uid <= last) throw broken(file, at + 2, 'UIDs out of order')
    last = record.uid
    // A message that was put back after it had been removed: the later UID counts.
    records.delete(record.base)
    records.set(record.base, record)
  }
  return { uidValidity, records: [...records.values()] }
}

function parseHeader(line: string, file: string): { version: 1 | 3; uidValidity: number } {
  const version1 = HEADER_1.exec(line)
  const extensions = HEADER_3.exec(line)?.[1]
  const told = version1?.[1] ?? extension(extensions ?? '', 'V')
  const uidValidity = numberIn(told)
  if (uidValidity === null) throw broken(file, 1, 'no UIDVALIDITY, or another version than 1 and 3')
  return { version: version1 === null ? 3 : 1, uidValidity }
}

function parseRecord1(line: string): DovecotRecord | null {
  const [, digits, name] = RECORD_1.exec(line) ?? []
  const uid = numberIn(digits)
  if (uid === null || name === undefined) return null
  return { uid, base: baseOf(name), saved: null, guid: null, order: null }
}

function parseRecord3(line: string): DovecotRecord | null {
  const [, digits, extensions = '', name] = RECORD_3.exec(line) ?? []
  const uid = numberIn(digits)
  if (uid === null || name === undefined) return null
  const saved = extension(extensions, 'P') ?? null
  const guid = extension(extensions, 'G') ?? null
  return { uid, base: baseOf(name), saved, guid, order: numberIn(extension(extensions, 'O')) }
}

/** The value after a letter; `undefined` if it is missing or empty. */
function extension(all: string, key: string): string | undefined {
  const found = all.split(' ').find((each) => each.startsWith(key) && each.length > 1)
  return found?.slice(1)
}

function numberIn(digits: string | undefined): number | null {
  if (digits === undefined || !NUMBER.test(digits)) return null
  const number = Number(digits)
  return number <= MAX_NUMBER ? number : null
}
