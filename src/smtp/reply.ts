/** SMTP replies: code, enhanced status (RFC 2034, RFC 3463) and text, as bytes that we control. */
import type { Refusal } from '../mail/refusal.js'
import type { Reason } from '../metrics/reasons.js'
import type { Data } from './data.js'
import type { StateName } from './state.js'

export interface Reply {
  readonly bytes: Buffer
  /** The state that the session is in after this reply; absent = the same. */
  readonly next?: StateName
  /** What follows is the body of a message. */
  readonly body?: Data
  readonly then?: 'close' | 'starttls'
  /** Milliseconds that the client is kept waiting for it. */
  readonly after?: number
  /** The client's fault, or that of whoever wrote the address: too many of them end a session. */
  readonly fault?: boolean
  /** The client's message was taken: that makes up for its mistakes. */
  readonly taken?: true
  /** The limit that the client has come to, where nothing else counts it. */
  readonly limit?: Reason
}

/** Longest line of a reply, line end counted (RFC 5321 section 4.5.3.1.5). */
const MAX_LINE = 512

/**
 * Builds a reply. Text that is not printable ASCII is masked: what goes out
 * never depends on a string that somebody else wrote.
 * @param status enhanced status code, `null` for replies that have none
 */
export function reply(code: number, status: string | null, ...lines: string[]): Buffer {
  const start = status === null ? '' : `${status} `
  const text = lines.map((line, index) => {
    const separator = index === lines.length - 1 ? ' ' : '-'
    return `${code}${separator}${start}${line}`.replace(/[^ -~]/g, '?').slice(0, MAX_LINE - 2)
  })
  return Buffer.from(`${text.join('\r\n')}\r\n`, 'ascii')
}

export function refusal(refused: Refusal): Reply {
  const bytes = reply(refused.code, refused.status, refused.message)
  return refused.temporary ? { bytes } : { bytes, fault: true }
}

export function fault(code: number, status: string, text: string): Reply {
  return { bytes: reply(code, status, text), fault: true }
}

// One verb, one reply; those that are always the same are built once.
export const OK: Reply = { bytes: reply(250, '2.0.0', 'Ok') }
export const SENDER_OK = reply(250, '2.1.0', 'Sender ok')
export const RECIPIENT_OK: Reply = { bytes: reply(250, '2.1.5', 'Recipient ok') }
export const SEND_BODY = reply(354, null, 'Send the message, end with CR LF . CR LF')
export const LOCAL_ERROR: Reply = {
  bytes: reply(451, '4.3.0', 'Local error, nothing is lost; try again later'),
}
export const UNKNOWN_VERB = fault(500, '5.5.1', 'Unknown command; HELP lists those that there are')
export const NOT_IMPLEMENTED = fault(502, '5.5.1', 'Command not implemented here')
export const NO_ARGUMENT = fault(501, '5.5.4', 'This command takes no argument')
export const BAD_CHARACTERS = fault(
  501,
  '5.5.2',
  'Control characters and bad UTF-8 are not allowed',
)
export const LINE_TOO_LONG: Reply = {
  ...fault(500, '5.5.2', 'Line too long'),
  limit: 'line_length',
}
