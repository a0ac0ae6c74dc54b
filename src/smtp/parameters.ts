/**
 * The parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954),
 * REQUIRETLS (RFC 8689), RET and ENVID (RFC 3461 sections 4.3 and 4.4).
 */
import type { ReportWish } from '../mail/envelope.js'
import { decodeXtext } from '../mail/xtext.js'
import { fault, type Reply } from './reply.js'

export interface MailParameters {
  /** Octets on the wire; `null` = not declared. May be larger than any number we count with. */
  readonly size: number | null
  readonly eightBit: boolean
  readonly smtputf8: boolean
  readonly requireTls: boolean
  /** `null` = nothing was said about reports. */
  readonly reports: ReportWish | null
}

/** Parameters that are there on some connections only. */
export interface Offered {
  readonly auth: boolean
  readonly requireTls: boolean
}

const BAD_SIZE = fault(501, '5.5.4', 'SIZE needs a number of octets, such as SIZE=1000')
const BAD_BODY = fault(501, '5.5.4', 'BODY is 7BIT or 8BITMIME')
const BAD_SMTPUTF8 = fault(501, '5.5.4', 'SMTPUTF8 takes no value')
const BAD_REQUIRETLS = fault(501, '5.5.4', 'REQUIRETLS takes no value')
const BAD_AUTH = fault(501, '5.5.4', 'AUTH needs an address in xtext, or <>')
const BAD_RET = fault(501, '5.5.4', 'RET is FULL or HDRS')
const BAD_ENVID = fault(501, '5.5.4', 'ENVID needs up to 100 characters of xtext')
const UNKNOWN = fault(555, '5.5.4', 'MAIL parameter not recognized or not implemented')

/** RFC 1870 section 4: up to 20 digits. */
const SIZE = /^\d{1,20}$/
/** RFC 3461 section 4; who it names is not believed, for who sent it is known. */
const XTEXT = /^(?:<>|(?:[!-*,-<>-~]|\+[0-9A-F]{2})+)$/
/** RFC 3461 section 4.4. */
const MAX_ENVELOPE_ID = 100
/** What all of them add to a command line, the blanks before them counted. */
export const MAX_MAIL_PARAMETERS =
  ' SIZE=12345678901234567890'.length +
  ' BODY=8BITMIME'.length +
  ' SMTPUTF8'.length +
  // RFC 4954 section 4.
  500 +
  ' REQUIRETLS'.length +
  ' RET=HDRS'.length +
  ' ENVID='.length +
  MAX_ENVELOPE_ID

interface Form {
  readonly value: RegExp | ((value: string) => boolean)
  readonly refusal: Reply
}

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['SIZE', { value: SIZE, refusal: BAD_SIZE }],
  ['BODY', { value: /^(?:7BIT|8BITMIME)$/i, refusal: BAD_BODY }],
  ['SMTPUTF8', { value: /^$/, refusal: BAD_SMTPUTF8 }],
  ['AUTH', { value: XTEXT, refusal: BAD_AUTH }],
  ['RET', { value: /^(?:FULL|HDRS)$/i, refusal: BAD_RET }],
  ['ENVID', { value: isEnvelopeId, refusal: BAD_ENVID }],
  ['REQUIRETLS', { value: /^$/, refusal: BAD_REQUIRETLS }],
])

/** @returns what was asked for, or the refusal */
export function readMailParameters(
  given: ReadonlyMap<string, string>,
  offered: Offered,
): MailParameters | Reply {
  for (const [name, value] of given) {
    const form = FORMS.get(name)
    if (form === undefined || !isOffered(name, offered)) return UNKNOWN
    if (!fits(form, value)) return form.refusal
  }
  const size = given.get('SIZE')
  return {
    size: size === undefined ? null : Number(size),
    eightBit: /^8BITMIME$/i.test(given.get('BODY') ?? ''),
    smtputf8: given.has('SMTPUTF8'),
    requireTls: given.has('REQUIRETLS'),
    reports: wish(given.get('RET')?.toUpperCase(), given.get('ENVID')),
  }
}

function fits({ value: form }: Form, value: string): boolean {
  return typeof form === 'function' ? form(value) : form.test(value)
}

/** A report repeats it, so that it must not hold what a report cannot. */
function isEnvelopeId(value: string): boolean {
  return value.length <= MAX_ENVELOPE_ID && decodeXtext(value) !== null
}

function wish(ret: string | undefined, envelopeId: string | undefined): ReportWish | null {
  if (ret === undefined && envelopeId === undefined) return null
  const asked = ret === 'FULL' ? 'full' : 'headers'
  return { content: ret === undefined ? null : asked, envelopeId: envelopeId ?? null }
}

function isOffered(name: string, { auth, requireTls }: Offered): boolean {
  if (name === 'AUTH') return auth
  return name === 'REQUIRETLS' ? requireTls : true
}

export function isReply(value: MailParameters | Reply): value is Reply {
  return 'bytes' in value
}
