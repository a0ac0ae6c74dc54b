/** How long another server may take for what: RFC 5321 section 4.5.3.2, all in milliseconds. */

export interface Patience {
  /** For TCP; the RFC has no word on it, and several servers may have to be tried. */
  readonly connect: number
  readonly greeting: number
  /** EHLO, LHLO, HELO, STARTTLS and each step of a login. */
  readonly command: number
  readonly handshake: number
  readonly mail: number
  readonly recipient: number
  readonly data: number
  /** Until a piece of the message is taken. */
  readonly piece: number
  /** From the final dot to the reply: whoever gives up earlier sends the mail twice (RFC 1047). */
  readonly delivered: number
  /** RSET between two messages. */
  readonly reset: number
}

const SECOND = 1_000
const MINUTE = 60 * SECOND

export const PATIENCE: Patience = {
  connect: 30 * SECOND,
  greeting: 5 * MINUTE,
  command: 5 * MINUTE,
  handshake: MINUTE,
  mail: 5 * MINUTE,
  recipient: 5 * MINUTE,
  data: 2 * MINUTE,
  piece: 3 * MINUTE,
  delivered: 10 * MINUTE,
  reset: 30 * SECOND,
}
