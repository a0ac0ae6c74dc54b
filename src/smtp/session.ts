/**
 * One SMTP conversation (RFC 5321): lines in, replies out, no socket. The
 * session knows who speaks and which state comes next; what a verb does is the
 * states' business, and how far mail reaches is that of the sender it holds.
 */
import type { Peer } from '../cred/credentials.js'
import { reason } from '../log/log.js'
import { Refusal } from '../mail/refusal.js'
import type { Reason } from '../metrics/reasons.js'
import type { Answer, Farewell, LineFault, RawInput, Session, TlsFacts } from '../net/session.js'
import { Auth, MAX_AUTH_LINE } from './auth.js'
import { type Command, decode, parseCommand } from './command.js'
import type { Context, SmtpOptions } from './context.js'
import type { Data } from './data.js'
import { Ready, Transaction } from './envelope.js'
import { Greeting } from './greeting.js'
import { MAX_MAIL_PARAMETERS } from './parameters.js'
import { MAX_RECIPIENT_PARAMETERS } from './recipient-parameters.js'
import * as say from './reply.js'
import {
  ABSENT_VERBS,
  FOREIGN_VERBS,
  knownVerbs,
  type State,
  type StateName,
  type Verb,
} from './state.js'

/** RFC 5321 section 4.5.3.1.4, line end counted. */
const MAX_COMMAND = 512
/** Each extension lengthens the commands that it adds parameters to. */
const MAX_MAIL_COMMAND = MAX_COMMAND + MAX_MAIL_PARAMETERS
const MAX_RCPT_COMMAND = MAX_COMMAND + MAX_RECIPIENT_PARAMETERS
/** Octets of those verbs that may be longer than others. */
const LONG_COMMANDS = new Map([
  ['MAIL', MAX_MAIL_COMMAND],
  ['RCPT', MAX_RCPT_COMMAND],
  ['AUTH', MAX_AUTH_LINE],
])
/** RFC 5321 section 4.5.3.2.7. */
const COMMAND_PATIENCE_MS = 300_000
/** After so many mistakes each further one costs time: guessing names shall be slow. */
const FREE_FAULTS = 10
const TARPIT_MS = 1_000
const MOVES_MAIL: ReadonlySet<string> = new Set(['MAIL', 'RCPT', 'DATA', 'QUIT'])

const FOREIGN = say.fault(554, '5.5.0', 'This is a mail server')
const CLOSED = (code: number, status: string, text: string): say.Reply => ({
  bytes: say.reply(code, status, text),
  then: 'close',
})
const TOO_MANY_FAULTS: say.Reply = {
  ...CLOSED(421, '4.7.0', 'Too many errors, closing connection'),
  limit: 'errors',
}
const TOO_MUCH_JUNK: say.Reply = {
  ...CLOSED(421, '4.7.0', 'Too many commands without mail, closing connection'),
  limit: 'junk_commands',
}
const LINE_FAULTS: Record<LineFault, say.Reply> = {
  overlong: say.LINE_TOO_LONG,
  'bare-lf': CLOSED(500, '5.5.2', 'Lines must end with CR LF'),
  'out-of-step': {
    ...CLOSED(554, '5.5.0', 'Protocol synchronization: wait for the reply first'),
    limit: 'out_of_step',
  },
  'tls-hello': CLOSED(554, '5.5.0', 'No TLS yet on this port; use STARTTLS'),
}

export class SmtpSession implements Session {
  readonly maxLine: number
  readonly bareLf = false
  readonly patience = COMMAND_PATIENCE_MS
  readonly #context: Context
  readonly #states: Readonly<Record<StateName, State>>
  readonly #known: ReadonlySet<string>
  #state: State
  #body: Data | null = null
  #faults = 0
  #junk = 0

  constructor(options: SmtpOptions, peer: Peer) {
    const context = newContext(options, peer)
    this.#context = context
    this.maxLine = context.auth === null ? MAX_MAIL_COMMAND : MAX_AUTH_LINE
    this.#states = {
      greeting: new Greeting(context),
      ready: new Ready(context),
      transaction: new Transaction(context),
    }
    this.#state = this.#states.greeting
    this.#known = knownVerbs(options.role, context.front !== null)
  }

  get raw(): RawInput | null {
    return this.#body
  }

  async greet(): Promise<Answer> {
    const { peer, options } = this.#context
    try {
      // Whoever has not logged in is somebody, too: the stranger.
      this.#context.login = await options.portal.login({ kind: 'anonymous', peer }, 'sender')
      return { head: say.reply(220, null, `${options.hostname} ${options.role.protocol} mailtap`) }
    } catch (error) {
      options.log.error('smtp cannot greet', { reason: reason(error) })
      return { head: say.reply(421, '4.3.2', 'Service not available now'), then: 'close' }
    }
  }

  command(line: Buffer): Answer | Promise<Answer> {
    const { auth, options } = this.#context
    if (auth?.running) return this.#later(auth.take(line))
    const text = decode(line)
    if (text === null) return this.#answer(say.BAD_CHARACTERS)
    const command = parseCommand(text)
    if (command === null) return this.#answer(say.UNKNOWN_VERB)
    const { verb } = command
    const limit = LONG_COMMANDS.get(verb) ?? MAX_COMMAND
    if (line.length + 2 > limit) return this.#answer(say.LINE_TOO_LONG)
    if (!MOVES_MAIL.has(verb) && ++this.#junk > options.limits().junkCommands)
      return this.#answer(TOO_MUCH_JUNK)
    const action = this.#state.verbs.get(verb)
    return action === undefined ? this.#answer(this.#notAllowed(verb)) : this.#do(action, command)
  }

  mustBeLast(line: Buffer): boolean {
    return /^(?:DATA|STARTTLS) *$/i.test(line.toString('latin1'))
  }

  fault(fault: LineFault): Answer {
    const { auth } = this.#context
    if (fault === 'overlong' && auth?.running) return this.#answer(auth.tooLong())
    return this.#answer(LINE_FAULTS[fault])
  }

  farewell(why: Farewell): Buffer {
    const { hostname } = this.#context.options
    if (why === 'idle') this.#reached('silence')
    if (why === 'idle') return say.reply(421, '4.4.2', `${hostname} timeout, closing connection`)
    if (why === 'stopping') return say.reply(421, '4.3.2', `${hostname} shutting down, try again`)
    if (why === 'too-many') {
      return say.reply(421, '4.3.2', `${hostname} too many connections, try again later`)
    }
    const yours = 'too many connections from your address, try again later'
    return say.reply(421, '4.7.0', `${hostname} ${yours}`)
  }

  secured(tls: TlsFacts): void {
    this.#context.tls = tls
    this.#context.peer = { ...this.#context.peer, secure: true }
    this.#context.helo = ''
    this.#context.draft = null
    this.#state = this.#states.greeting
  }

  async closed(): Promise<void> {
    await this.#body?.discard()
    await this.#context.auth?.abandon()
    await this.#context.login?.logout()
  }

  async #do(action: Verb, command: Command): Promise<Answer> {
    return this.#answer(await this.#attempt(action, command))
  }

  /** A step of AUTH: an unexpected fault is ours. */
  async #later(work: Promise<say.Reply>): Promise<Answer> {
    const reply = await work.catch((error: unknown) => {
      this.#context.options.log.error('smtp login failed', { reason: reason(error) })
      return say.LOCAL_ERROR
    })
    return this.#answer(reply)
  }

  async #attempt(action: Verb, command: Command): Promise<say.Reply> {
    try {
      return await action(command.argument)
    } catch (error) {
      if (error instanceof Refusal) return this.#refused(error, command)
      // Not the client's fault and not a reason to send the mail back.
      this.#context.options.log.error('smtp command failed', { reason: reason(error) })
      return say.LOCAL_ERROR
    }
  }

  #refused(refused: Refusal, { verb, argument }: Command): say.Reply {
    const { code, status } = refused
    const { options, peer, helo } = this.#context
    const what = { command: `${verb} ${argument}`, ip: peer.address, helo }
    const level = refused.temporary ? 'warn' : 'info'
    const { why } = refused
    options.log[level]('smtp refused', { code, status, why, reason: reason(refused), ...what })
    return say.refusal(refused)
  }

  #notAllowed(verb: string): say.Reply {
    if (this.#known.has(verb)) return this.#state.notNow
    if (FOREIGN_VERBS.has(verb)) return { ...FOREIGN, then: 'close' }
    return ABSENT_VERBS.has(verb) ? say.NOT_IMPLEMENTED : say.UNKNOWN_VERB
  }

  #answer(reply: say.Reply): Answer {
    if (reply.limit !== undefined) this.#reached(reply.limit)
    if (reply.fault && ++this.#faults >= this.#context.options.limits().errors)
      return this.#answer(TOO_MANY_FAULTS)
    if (reply.next !== undefined) this.#state = this.#states[reply.next]
    if (reply.body !== undefined) this.#receive(reply.body)
    const tarpit = reply.fault === true && this.#faults > FREE_FAULTS
    if (tarpit) this.#reached('tarpit')
    return {
      head: reply.bytes,
      ...(reply.then === undefined ? {} : { then: reply.then }),
      ...(tarpit || reply.after !== undefined ? { after: reply.after ?? TARPIT_MS } : {}),
    }
  }

  /** For the metrics, and for whoever wants to know why a client is sent away. */
  #reached(limit: Reason): void {
    const { options, peer, helo } = this.#context
    options.log.debug('smtp limit', { limit, ip: peer.address, helo })
  }

  #receive(body: Data): void {
    this.#body = body
    body.whenDone((reply) => {
      this.#body = null
      this.#state = this.#states.ready
      // A "later" of ours neither counts nor makes up for anything: it is not the client's doing.
      if (reply.taken) this.#faults = this.#junk = 0
      return this.#answer(reply)
    })
  }
}

function newContext(options: SmtpOptions, peer: Peer): Context {
  const front = options.xclientFrom(peer.address) ? peer.address : null
  const start = { options, peer, front, messages: 0, tls: null, login: null, auth: null }
  const context: Context = { ...start, helo: '', esmtp: false, draft: null }
  if (options.role.authenticates) context.auth = new Auth(context)
  return context
}
