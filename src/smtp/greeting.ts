/** Before EHLO or HELO (RFC 5321 section 4.1.1.1), and the verbs that are allowed at any time. */
import { ANONYMOUS } from '../cred/checker.js'
import { userOf } from './auth.js'
import type { Context } from './context.js'
import { xclient, XCLIENT_ATTRIBUTES } from './xclient.js'
import { isHostArgument, isMailboxArgument } from './command.js'
import { fault, NO_ARGUMENT, OK, reply, type Reply } from './reply.js'
import { knownVerbs, type State, type Verb } from './state.js'

const BAD_HOST = fault(501, '5.5.4', 'Say EHLO or HELO with the name of your host')
const BAD_MAILBOX = fault(501, '5.5.4', 'Say VRFY with a user name or an address')
const NO_TLS = fault(502, '5.5.1', 'TLS is not available here')
const LOGGED_IN = fault(503, '5.5.1', 'Say STARTTLS before AUTH')
const IS_TLS = fault(503, '5.5.1', 'TLS is on already')
const READY_FOR_TLS: Reply = { bytes: reply(220, '2.0.0', 'Ready to start TLS'), then: 'starttls' }
/** RFC 5321 section 7.3: whether a user exists is told at RCPT, not here. */
const CANNOT_VERIFY: Reply = {
  bytes: reply(252, '2.5.0', 'Cannot verify here; send the mail and see'),
}
/** The client has not yet said who it is. */
export class Greeting implements State {
  readonly notNow: Reply
  readonly verbs: ReadonlyMap<string, Verb>

  constructor(context: Context) {
    const verbs = [...context.options.role.hellos].join(' or ')
    this.notNow = fault(503, '5.5.1', `Send ${verbs} first`)
    this.verbs = new Map([...anytime(context), ['RSET', (text) => without(text, OK)]])
  }
}

/** What a client may say in every state outside a transaction's body. */
export function anytime(context: Context): [string, Verb][] {
  return [
    ...hellos(context),
    ['NOOP', () => OK],
    ['HELP', () => help(context)],
    ['VRFY', verify],
    ['EXPN', verify],
    ['STARTTLS', (text) => without(text, startTls(context))],
    ['QUIT', (text) => without(text, bye(context))],
    ...xclients(context),
  ]
}

function hellos(context: Context): [string, Verb][] {
  return [...context.options.role.hellos].map((verb) => [
    verb,
    (name) => hello(context, name, verb !== 'HELO'),
  ])
}

/** Between transactions only; the transaction leaves it out. */
function xclients(context: Context): [string, Verb][] {
  return context.front !== null ? [['XCLIENT', (text) => xclient(context, text)]] : []
}

function help({ options: { role }, front }: Context): Reply {
  const verbs = [...knownVerbs(role, front !== null)].filter((verb) => verb !== 'EXPN').join(' ')
  const rfc = role.protocol === 'LMTP' ? 'RFC 2033' : 'RFC 5321'
  return { bytes: reply(214, '2.0.0', `mailtap speaks ${rfc}:`, verbs) }
}

export function without(argument: string, result: Reply): Reply {
  return argument === '' ? result : NO_ARGUMENT
}

function hello(context: Context, name: string, esmtp: boolean): Reply {
  if (!isHostArgument(name)) return BAD_HOST
  context.helo = name
  context.draft = null
  context.esmtp = esmtp
  const { hostname } = context.options
  const bytes = esmtp
    ? reply(250, null, hostname, ...extensions(context))
    : reply(250, null, hostname)
  return { bytes, next: 'ready' }
}

function extensions(context: Context): string[] {
  const { options, peer } = context
  const limits = options.limits()
  const startTlsToo = options.tlsAvailable() && !peer.secure && userOf(context) === null
  return [
    'PIPELINING',
    `SIZE ${options.maxSize()}`,
    `LIMITS MAILMAX=${limits.messagesPerConnection} RCPTMAX=${limits.recipientsPerMessage}`,
    ...(startTlsToo ? ['STARTTLS'] : []),
    ...mechanisms(context),
    ...(peer.secure ? ['REQUIRETLS'] : []),
    ...(context.front !== null ? [`XCLIENT ${XCLIENT_ATTRIBUTES.join(' ')}`] : []),
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    'SMTPUTF8',
    'DSN',
    'HELP',
  ]
}

/** RFC 4954 section 4: while there is no way to log in, AUTH is not offered. */
function mechanisms({ auth, login }: Context): string[] {
  const names = auth === null || login?.id !== ANONYMOUS ? [] : auth.mechanisms
  return names.length === 0 ? [] : [`AUTH ${names.join(' ')}`]
}

function startTls(context: Context): Reply {
  const { options, peer } = context
  if (peer.secure) return IS_TLS
  // Who one is was said in clear then, and would have to be forgotten.
  if (userOf(context) !== null) return LOGGED_IN
  return options.tlsAvailable() ? READY_FOR_TLS : NO_TLS
}

function verify(argument: string): Reply {
  return isMailboxArgument(argument) ? CANNOT_VERIFY : BAD_MAILBOX
}

function bye({ options }: Context): Reply {
  return { bytes: reply(221, '2.0.0', `${options.hostname} closing connection`), then: 'close' }
}
