/** What a client may say at one point of an SMTP session. */
import type { Reply } from './reply.js'
import type { Role } from './role.js'

/** Where a session can stand: before EHLO, between transactions, after MAIL. A reply names the next. */
export type StateName = 'greeting' | 'ready' | 'transaction'

/** @param argument what follows the verb, without the space between */
export type Verb = (argument: string) => Reply | Promise<Reply>

export interface State {
  /** By name in capitals. A known verb that is absent is not allowed now. */
  readonly verbs: ReadonlyMap<string, Verb>
  /** The answer to a verb that exists but is not allowed now. */
  readonly notNow: Reply
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Verbs of every port, in some state. */
const COMMON_VERBS = [
  'MAIL',
  'RCPT',
  'DATA',
  'RSET',
  'NOOP',
  'QUIT',
  'VRFY',
  'EXPN',
  'HELP',
  'STARTTLS',
]

/** The verbs of a port, in some state. */
export function knownVerbs({ hellos, authenticates }: Role, xclient: boolean): ReadonlySet<string> {
  const more = [...(authenticates ? ['AUTH'] : []), ...(xclient ? ['XCLIENT'] : [])]
  return new Set([...hellos, ...COMMON_VERBS, ...more])
}

/** Verbs of SMTP that this server does not have, or not on this port (RFC 821, 1985, 2645, 3030, 4954). */
export const ABSENT_VERBS = words('AUTH BDAT ETRN TURN ATRN SEND SOML SAML')

/**
 * First words of other protocols. A browser that was made to speak to a mail
 * port sends one; answering more than once would carry out what follows it.
 */
export const FOREIGN_VERBS = words('GET POST PUT HEAD DELETE OPTIONS CONNECT TRACE PATCH PRI')
