/** What the server can do (RFC 2449): the same list before and after the login, because clients ask once. */
import { listing } from './listing.js'
import { ok } from './reply.js'
import type { Reply } from './state.js'

/** No SASL line: there is no mechanism yet. EXPIRE NEVER: nothing is deleted but by the client. */
const ALWAYS = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING', 'EXPIRE NEVER']

/** @param more capabilities that depend on the moment */
export function capabilities(more: readonly string[]): Reply {
  const body = listing([...ALWAYS, ...more, 'IMPLEMENTATION mailtap'])
  return ok('capability list follows', { body })
}
