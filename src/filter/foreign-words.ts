/**
 * Words of other programs in ours: what a DNS list, an rspamd or a milter wants
 * said to a client or written into a header, made fit for that place.
 */
import { Refusal } from '../mail/refusal.js'

/** Characters that a reply takes over. */
const MAX_REPLY_TEXT = 300
/** RFC 5322 section 2.1.1, the line end not counted. */
const MAX_LINE = 998
/** Characters of a value; signatures and reports of spam checks are long. */
const MAX_VALUE = 16_384
const REPLY = /^([45])(\d\d)(?:[ -]+(?:([45])(\.\d{1,3}\.\d{1,3})(?: +|$))?(.*))?$/s
/** RFC 5321 section 3.8: the connection ends with it. That is not another program's to say. */
const CLOSING = 421
const LATER = 451
const NAME = /^[!-9;-~]{1,76}$/
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f]/g

/** Printable ASCII on one line, not too long. */
export function replyText(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[^ -~]/g, '?')
    .slice(0, MAX_REPLY_TEXT)
}

/**
 * A reply as another program worded it: `550 5.7.1 no thanks`; what would end the connection
 * becomes "later".
 * @returns `null` if it is none that refuses
 */
export function foreignRefusal(reply: string, what: string): Refusal | null {
  const match = REPLY.exec(reply)
  if (match === null) return null
  const [, kind = '', rest = '', statusKind, status = '', text = ''] = match
  const fitting = statusKind === kind ? `${kind}${status}` : `${kind}.7.1`
  const code = Number(`${kind}${rest}`)
  return new Refusal(code === CLOSING ? LATER : code, fitting, replyText(text) || what, {
    why: 'milter',
  })
}

/**
 * A complete header field, folded where its value was, without the last line end.
 * @returns `null` if it cannot be one
 */
export function headerLine(name: string, value: string): string | null {
  if (!NAME.test(name)) return null
  const lines = value
    .slice(0, MAX_VALUE)
    .split(/\r\n|\n|\r/)
    .map((line) => line.replace(CONTROL, '?').trim())
    // An empty line would end the header.
    .filter((line) => line !== '')
  // One octet each if it is ASCII; what is not is rare, and no server counts it so strictly.
  return `${name}: ${lines.join('\n\t')}`
    .split('\n')
    .map((line) => line.slice(0, MAX_LINE))
    .join('\n')
}
