/** The parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531). */
import { fault, type Reply } from './reply.js'

export interface MailParameters {
  /** Octets on the wire; `null` = not declared. May be larger than any number we count with. */
  readonly size: number | null
  readonly eightBit: boolean
  readonly smtputf8: boolean
}

const BAD_SIZE = fault(501, '5.5.4', 'SIZE needs a number of octets, such as SIZE=1000')
const BAD_BODY = fault(501, '5.5.4', 'BODY is 7BIT or 8BITMIME')
const BAD_SMTPUTF8 = fault(501, '5.5.4', 'SMTPUTF8 takes no value')
const UNKNOWN = fault(555, '5.5.4', 'MAIL parameter not recognized or not implemented')

/** RFC 1870 section 4: up to 20 digits. */
const SIZE = /^\d{1,20}$/

/** @returns what was asked for, or the refusal */
export function readMailParameters(given: ReadonlyMap<string, string>): MailParameters | Reply {
  const { SIZE: size, BODY: body, SMTPUTF8: utf8, ...others } = Object.fromEntries(given)
  if (Object.keys(others).length > 0) return UNKNOWN
  if (size !== undefined && !SIZE.test(size)) return BAD_SIZE
  if (body !== undefined && !/^(7BIT|8BITMIME)$/i.test(body)) return BAD_BODY
  if (utf8 !== undefined && utf8 !== '') return BAD_SMTPUTF8
  return {
    size: size === undefined ? null : Number(size),
    eightBit: /^8BITMIME$/i.test(body ?? ''),
    smtputf8: utf8 !== undefined,
  }
}

export function isReply(value: MailParameters | Reply): value is Reply {
  return 'bytes' in value
}
