/** What a client may say at one point of an SMTP session. */
import type { Reply } from './reply.js'

/** @param argument what follows the verb, without the space between */
export type Verb = (argument: string) => Reply | Promise<Reply>

export interface State {
  /** By name in capitals. A known verb that is absent is not allowed now. */
  readonly verbs: ReadonlyMap<string, Verb>
  /** The answer to a verb that exists but is not allowed now. */
  readonly notNow: Reply
}

/** Every verb of the protocol; others are unknown. `null` marks those that are known and refused. */
export const KNOWN_VERBS: ReadonlySet<string> = new Set([
  ...['EHLO', 'HELO', 'MAIL', 'RCPT', 'DATA', 'RSET', 'NOOP', 'QUIT', 'VRFY', 'EXPN', 'HELP'],
  'STARTTLS',
])

/** Verbs of SMTP that this server does not have (RFC 5321, 1985, 3030, 4954). */
export const ABSENT_VERBS: ReadonlySet<string> = new Set([
  ...['AUTH', 'BDAT', 'ETRN', 'TURN', 'ATRN', 'SEND', 'SOML', 'SAML'],
])

/**
 * First words of other protocols. A browser that was made to speak to a mail
 * port sends one; answering more than once would carry out what follows it.
 */
export const FOREIGN_VERBS: ReadonlySet<string> = new Set([
  ...['GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'CONNECT', 'TRACE', 'PATCH', 'PRI'],
])
