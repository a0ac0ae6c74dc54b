/** SMTP as the network sees it: a new session for each client of a port that takes mail from the world. */
import type { Peer } from '../cred/credentials.js'
import type { Session } from '../net/session.js'
import type { SmtpOptions } from './context.js'
import { SmtpSession } from './session.js'

/** @returns what a listener calls for each client */
export function smtpSessions(options: SmtpOptions): (peer: Peer) => Session {
  return (peer) => new SmtpSession(options, peer)
}
