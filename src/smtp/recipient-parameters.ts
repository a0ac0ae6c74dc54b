/** The parameters of RCPT: what the sender wants to be told of, and whom it meant (RFC 3461 sections 4.1 and 4.2). */
import type { DsnEvent, Notice } from '../mail/envelope.js'
import { decodeUtf8Address, decodeXtext } from '../mail/xtext.js'
import { fault, type Reply } from './reply.js'

/** RFC 3461 section 4.2. */
const MAX_ORIGINAL = 500
/** What both add to a command line, the blanks before them counted. */
export const MAX_RECIPIENT_PARAMETERS =
  ' ORCPT='.length + MAX_ORIGINAL + ' NOTIFY=SUCCESS,FAILURE,DELAY'.length

const UNKNOWN = fault(555, '5.5.4', 'RCPT parameter not recognized or not implemented')
const BAD_NOTIFY = fault(501, '5.5.4', 'NOTIFY is NEVER, or some of SUCCESS,FAILURE,DELAY')
const BAD_ORIGINAL = fault(
  501,
  '5.5.4',
  'ORCPT is a type and an address in xtext, such as rfc822;a@example.com',
)

const EVENTS: ReadonlyMap<string, DsnEvent> = new Map([
  ['SUCCESS', 'success'],
  ['FAILURE', 'failure'],
  ['DELAY', 'delay'],
])
/** The types that are registered are words like these. */
const ORIGINAL = /^([A-Za-z0-9][A-Za-z0-9-]{0,39});(.+)$/su

/**
 * @param smtputf8 addresses may stand in UTF-8 (RFC 6533 section 3)
 * @returns what was asked for, `null` if it was nothing, or the refusal
 */
export function readRecipientParameters(
  given: ReadonlyMap<string, string>,
  smtputf8: boolean,
): Notice | Reply | null {
  let notice: Notice | null = null
  for (const [name, value] of given) {
    const read = READERS.get(name)
    if (read === undefined) return UNKNOWN
    const part = read(value, smtputf8)
    if ('bytes' in part) return part
    notice = { ...(notice ?? { notify: null, originalRecipient: null }), ...part }
  }
  return notice
}

type Reader = (value: string, smtputf8: boolean) => Partial<Notice> | Reply

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['NOTIFY', readNotify],
  ['ORCPT', readOriginal],
])

function readNotify(value: string): Partial<Notice> | Reply {
  const words = value.toUpperCase().split(',')
  if (words.length === 1 && words[0] === 'NEVER') return { notify: [] }
  const notify = words.map((word) => EVENTS.get(word)).filter((event) => event !== undefined)
  const good = notify.length === words.length && new Set(notify).size === notify.length
  return good ? { notify } : BAD_NOTIFY
}

/** Kept as it came: whoever it is passed on to reads it again. */
function readOriginal(value: string, smtputf8: boolean): Partial<Notice> | Reply {
  const [, type = '', address = ''] = ORIGINAL.exec(value) ?? []
  const utf8 = type.toLowerCase() === 'utf-8'
  const known = utf8 ? decodeUtf8Address(address) : decodeXtext(address)
  // oxlint-disable-next-line no-control-regex -- all of ASCII
  const fits = value.length <= MAX_ORIGINAL && (smtputf8 || /^[\u0000-\u007f]*$/.test(value))
  return known !== null && fits ? { originalRecipient: value } : BAD_ORIGINAL
}
