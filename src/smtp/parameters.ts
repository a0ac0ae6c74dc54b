/** The parameters of MAIL: SIZE (RFC 1870), BODY (RFC 6152), SMTPUTF8 (RFC 6531), AUTH (RFC 4954), REQUIRETLS (RFC 8689). */
import { fault, type Reply } from './reply.js'

export interface MailParameters {
  /** Octets on the wire; `null` = not declared. May be larger than any number we count with. */
  readonly size: number | null
  readonly eightBit: boolean
  readonly smtputf8: boolean
  readonly requireTls: boolean
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
const UNKNOWN = fault(555, '5.5.4', 'MAIL parameter not recognized or not implemented')

/** RFC 1870 section 4: up to 20 digits. */
const SIZE = /^\d{1,20}$/
/** RFC 3461 section 4; who it names is not believed, for who sent it is known. */
const XTEXT = /^(?:<>|(?:[!-*,-<>-~]|\+[0-9A-F]{2})+)$/

interface Form {
  readonly value: RegExp
  readonly refusal: Reply
}

const FORMS: ReadonlyMap<string, Form> = new Map([
  ['SIZE', { value: SIZE, refusal: BAD_SIZE }],
  ['BODY', { value: /^(?:7BIT|8BITMIME)$/i, refusal: BAD_BODY }],
  ['SMTPUTF8', { value: /^$/, refusal: BAD_SMTPUTF8 }],
  ['AUTH', { value: XTEXT, refusal: BAD_AUTH }],
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
    if (!form.value.test(value)) return form.refusal
  }
  const size = given.get('SIZE')
  return {
    size: size === undefined ? null : Number(size),
    eightBit: /^8BITMIME$/i.test(given.get('BODY') ?? ''),
    smtputf8: given.has('SMTPUTF8'),
    requireTls: given.has('REQUIRETLS'),
  }
}

function isOffered(name: string, { auth, requireTls }: Offered): boolean {
  if (name === 'AUTH') return auth
  return name === 'REQUIRETLS' ? requireTls : true
}

export function isReply(value: MailParameters | Reply): value is Reply {
  return 'bytes' in value
}
