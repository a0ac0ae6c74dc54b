/** Before EHLO or HELO (RFC 5321 section 4.1.1.1), and the verbs that are allowed at any time. */
import type { Context } from './context.js'
import { isHostArgument, isMailboxArgument } from './command.js'
import { fault, HELLO_FIRST, NO_ARGUMENT, OK, reply, type Reply } from './reply.js'
import type { State, Verb } from './state.js'

const BAD_HOST = fault(501, '5.5.4', 'Say EHLO or HELO with the name of your host')
const BAD_MAILBOX = fault(501, '5.5.4', 'Say VRFY with a user name or an address')
const NO_TLS = fault(502, '5.5.1', 'TLS is not available here')
const IS_TLS = fault(503, '5.5.1', 'TLS is on already')
const READY_FOR_TLS: Reply = { bytes: reply(220, '2.0.0', 'Ready to start TLS'), then: 'starttls' }
/** RFC 5321 section 7.3: whether a user exists is told at RCPT, not here. */
const CANNOT_VERIFY: Reply = {
  bytes: reply(252, '2.5.0', 'Cannot verify here; send the mail and see'),
}
const HELP: Reply = {
  bytes: reply(
    214,
    '2.0.0',
    'mailtap speaks RFC 5321:',
    'EHLO HELO MAIL RCPT DATA RSET NOOP QUIT VRFY HELP STARTTLS',
  ),
}

/** The client has not yet said who it is. */
export class Greeting implements State {
  readonly notNow = HELLO_FIRST
  readonly verbs: ReadonlyMap<string, Verb>

  constructor(context: Context) {
    this.verbs = new Map([...anytime(context), ['RSET', (text) => without(text, OK)]])
  }
}

/** What a client may say in every state outside a transaction's body. */
export function anytime(context: Context): [string, Verb][] {
  return [
    ['EHLO', (name) => hello(context, name, true)],
    ['HELO', (name) => hello(context, name, false)],
    ['NOOP', () => OK],
    ['HELP', () => HELP],
    ['VRFY', verify],
    ['EXPN', verify],
    ['STARTTLS', (text) => without(text, startTls(context))],
    ['QUIT', (text) => without(text, bye(context))],
  ]
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

function extensions({ options, tls, peer }: Context): string[] {
  const startTlsToo = options.tlsAvailable() && tls === null && !peer.secure
  return [
    'PIPELINING',
    `SIZE ${options.maxSize()}`,
    ...(startTlsToo ? ['STARTTLS'] : []),
    'ENHANCEDSTATUSCODES',
    '8BITMIME',
    'SMTPUTF8',
    'HELP',
  ]
}

function startTls({ options, peer }: Context): Reply {
  if (peer.secure) return IS_TLS
  return options.tlsAvailable() ? READY_FOR_TLS : NO_TLS
}

function verify(argument: string): Reply {
  return isMailboxArgument(argument) ? CANNOT_VERIFY : BAD_MAILBOX
}

function bye({ options }: Context): Reply {
  return { bytes: reply(221, '2.0.0', `${options.hostname} closing connection`), then: 'close' }
}
