/** POP3 as the network sees it: a new session for each connection (RFC 1939, 2449, 2595). */
import type { Peer } from '../cred/credentials.js'
import type { Session } from '../net/session.js'
import type { Pop3Options } from './options.js'
import { Pop3Session } from './session.js'

/** @returns what a listener calls for each client; `peer.secure` is true where TLS comes first */
export function pop3Sessions(options: Pop3Options): (peer: Peer) => Session {
  return (peer) => new Pop3Session(options, peer)
}
