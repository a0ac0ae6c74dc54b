/** What the server can do (RFC 2449): the same list before and after the login, because clients ask once. */
import type { Context } from './context.js'
import { listing } from './listing.js'
import { ok } from './reply.js'
import type { Reply } from './state.js'

const ALWAYS = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING']

/** @param tlsPossible STLS would be taken now */
export function capabilities(context: Context, tlsPossible: boolean): Reply {
  const { expire, loginDelay } = context.options
  const delay = loginDelay?.() ?? 0
  const mechanisms = context.mechanisms.join(' ')
  const body = listing([
    ...ALWAYS,
    `EXPIRE ${expire?.() ?? 'NEVER'}`,
    ...(delay > 0 ? [`LOGIN-DELAY ${delay}`] : []),
    'UTF8 USER',
    'LANG',
    ...(context.plaintextAllowed ? ['USER'] : []),
    ...(mechanisms === '' ? [] : [`SASL ${mechanisms}`]),
    ...(tlsPossible ? ['STLS'] : []),
    'IMPLEMENTATION mailtap',
  ])
  return ok(context.texts.capabilities, { body })
}
