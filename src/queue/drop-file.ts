/**
 * A file of the maildrop: one line of JSON that says who sends to whom, then the message itself.
 * Any user of the machine may have written it, so all of it is checked like what comes from a
 * network: addresses are read by the one reader there is, parameters stand in their one form.
 */
import { isUtf8 } from 'node:buffer'
import { type Address, formatAddress, parseAddress } from '../mail/address.js'
import type { DsnEvent, Envelope, Notice, ReportWish } from '../mail/envelope.js'
import { decodeUtf8Address, decodeXtext } from '../mail/xtext.js'
import {
  count,
  flag,
  list,
  membersOf,
  Misshapen,
  oneOf,
  orNull,
  type Reader,
  record,
  text,
} from './shape.js'

/** What the first line says: the envelope without what only the server knows. */
export interface Drop extends Pick<
  Envelope,
  'from' | 'to' | 'smtputf8' | 'eightBit' | 'requireTls'
> {
  /** By place in `to`. */
  readonly notices: readonly (Notice | null)[]
  readonly reports: ReportWish | null
  /** Octets of the message behind the line. */
  readonly size: number
}

/** The form that this file describes. Who changes it counts on, and reads the older ones, too. */
const VERSION = 1
/** Recipients of one message. */
export const MAX_DROP_RECIPIENTS = 10_000
/** Octets of the first line, its LF counted: the recipients above with all that they may have. */
export const MAX_DROP_LINE = 16 * 1024 * 1024
/** Characters of a path; RFC 5321 section 4.5.3.1.3 has 256 octets, quotes and backslashes not counted. */
const MAX_PATH = 512
/** RFC 3461 section 4.2. */
const MAX_ORIGINAL = 500
/** RFC 3461 section 4.4. */
const MAX_ENVELOPE_ID = 100
const ORIGINAL = /^([A-Za-z0-9][A-Za-z0-9-]{0,39});(.+)$/su

const path: Reader<Address> = (value) => {
  const address = parseAddress(text(MAX_PATH)(value))
  if (address === null) throw new Misshapen('not an address')
  return address
}

const original: Reader<string> = (value) => {
  const said = text(MAX_ORIGINAL)(value)
  const [, type = '', address = ''] = ORIGINAL.exec(said) ?? []
  const decode = type.toLowerCase() === 'utf-8' ? decodeUtf8Address : decodeXtext
  if (decode(address) === null) throw new Misshapen('not an original recipient')
  return said
}

const envelopeId: Reader<string> = (value) => {
  const said = text(MAX_ENVELOPE_ID)(value)
  if (decodeXtext(said) === null) throw new Misshapen('not xtext')
  return said
}

const notice: Reader<Notice> = record<Notice>({
  notify: orNull(list(oneOf<DsnEvent>('success', 'failure', 'delay'), 3)),
  originalRecipient: orNull(original),
})

const reports: Reader<ReportWish> = record<ReportWish>({
  content: orNull(oneOf('full', 'headers')),
  envelopeId: orNull(envelopeId),
})

const recipients = list(path, MAX_DROP_RECIPIENTS)

const drop = record<Drop & { version: number }>({
  version: count,
  from: orNull(path),
  to: (value) => {
    const to = recipients(value)
    if (to.length === 0) throw new Misshapen('nobody')
    return to
  },
  notices: list(orNull(notice), MAX_DROP_RECIPIENTS),
  reports: orNull(reports),
  smtputf8: flag,
  eightBit: flag,
  requireTls: flag,
  size: count,
})

/** @throws Misshapen for what could not be read again; nothing of it may be acknowledged */
export function formatDrop({ from, to, ...others }: Drop): Buffer {
  const paths = { from: from === null ? null : formatAddress(from), to: to.map(formatAddress) }
  const line = Buffer.from(`${JSON.stringify({ version: VERSION, ...paths, ...others })}\n`)
  if (line.length > MAX_DROP_LINE) throw new Misshapen('too long')
  if (parseDrop(line.subarray(0, -1)) === null) throw new Misshapen('not of this version')
  return line
}

/**
 * @param line without its LF
 * @returns `null` = a later version of mailtap wrote it: nothing is wrong with it, but we do not know it
 * @throws Misshapen for everything that is not a whole first line
 */
export function parseDrop(line: Buffer): Drop | null {
  if (!isUtf8(line)) throw new Misshapen('not UTF-8')
  const value = parseJson(line.toString())
  const version = count(membersOf(value)['version'])
  if (version > VERSION) return null
  if (version < VERSION) throw new Misshapen(`there never was a version ${version}`)
  const { version: _, ...read } = drop(value)
  if (read.notices.length !== read.to.length) throw new Misshapen('not one notice per recipient')
  return read
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch (error) {
    throw new Misshapen('not JSON', { cause: error })
  }
}
