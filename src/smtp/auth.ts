/** AUTH (RFC 4954): a SASL exchange in lines that are no commands, from the mechanism's name to a sender. */
import { ANONYMOUS } from '../cred/checker.js'
import type { NamedCredentials } from '../cred/credentials.js'
import { LoginFailed, LoginRefused, LoginThrottled } from '../cred/errors.js'
import type { Login } from '../cred/realm.js'
import { reason } from '../log/log.js'
import type { Sender } from '../mail/sender.js'
import { isThisMachine } from '../net/this-machine.js'
import { type Exchange, MAX_RESPONSE, type Turn } from '../sasl/exchange.js'
import type { Surroundings } from '../sasl/mechanism.js'
import { type Allowed, beginExchange, offeredMechanisms } from '../sasl/mechanisms.js'
import { nonce } from '../sasl/nonce.js'
import type { Context } from './context.js'
import { fault, type Reply, reply } from './reply.js'

/** Octets of a command or a response with its line end (RFC 4954 section 4). */
export const MAX_AUTH_LINE = MAX_RESPONSE + '\r\n'.length
/** Wrong passwords, and tries where too many of them came before, in one connection. */
const MAX_FAILURES = 3
/** Guessing passwords shall be slow; milliseconds. */
const TARPIT_MS = 1_000

/** RFC 4422 section 3.1, in any case; then the initial response. */
const ARGUMENT = /^([A-Za-z0-9_-]{1,20})(?: +([^ ]*))?$/

const TWICE = fault(503, '5.5.1', 'You are logged in already')
const NO_MECHANISM = fault(504, '5.5.4', 'No such mechanism here; EHLO lists those that there are')
/** RFC 4954 section 6: the client must not send its password, so it hears this before it could. */
const NEEDS_TLS = fault(538, '5.7.11', 'Logins are taken over TLS only; say STARTTLS first')
const BAD_SYNTAX = fault(501, '5.5.4', 'Say AUTH and the name of a mechanism')
const CANCELLED = fault(501, '5.7.0', 'Authentication cancelled')
const BAD_RESPONSE = fault(501, '5.5.2', 'That is no response of this mechanism')
const TOO_LONG = fault(500, '5.5.6', 'Authentication line is too long')
const WRONG: Reply = {
  ...fault(535, '5.7.8', 'User name or password is wrong'),
  after: TARPIT_MS,
}
const TOO_OFTEN: Reply = {
  bytes: reply(421, '4.7.0', 'Too many wrong passwords, closing connection'),
  limit: 'login_failures_per_connection',
  then: 'close',
  after: TARPIT_MS,
}
const CANNOT_TELL: Reply = {
  bytes: reply(454, '4.7.0', 'Your password cannot be checked now; it may be right, try again'),
}
const THROTTLED: Reply = {
  bytes: reply(454, '4.7.0', 'Too many failed logins from your network; try again later'),
  after: TARPIT_MS,
}
const WELCOME: Reply = { bytes: reply(235, '2.7.0', 'Logged in'), next: 'ready' }

/** Somebody who has proven himself and whom the server is proving itself to. */
interface Guest {
  readonly login: Login<Sender>
  readonly mechanism: string
}

export class Auth {
  readonly #context: Context
  #exchange: Exchange | null = null
  #guest: Guest | null = null
  #mechanism = ''
  #failures = 0

  constructor(context: Context) {
    this.#context = context
  }

  /** True while lines are responses. */
  get running(): boolean {
    return this.#exchange !== null
  }

  /** Names of the mechanisms that can be used now, the strongest first. */
  get mechanisms(): readonly string[] {
    return this.#private ? offeredMechanisms(this.#allowed, this.#surroundings) : []
  }

  /** The verb. */
  async begin(argument: string): Promise<Reply> {
    if (userOf(this.#context) !== null) return TWICE
    const match = ARGUMENT.exec(argument)
    if (match === null) return BAD_SYNTAX
    if (!this.#private) return NEEDS_TLS
    const [, name = '', initial = null] = match
    const exchange = beginExchange(name, this.#allowed, this.#surroundings)
    this.#mechanism = name.toUpperCase()
    return exchange === null ? NO_MECHANISM : this.#run(exchange, () => exchange.begin(initial))
  }

  /** A response to the last challenge. */
  async take(line: Buffer): Promise<Reply> {
    const exchange = this.#exchange!
    if (this.#guest !== null) return this.#acknowledged(this.#guest, line)
    return this.#run(exchange, () => exchange.take(line))
  }

  /** A response that is longer than any can be. */
  tooLong(): Reply {
    void this.abandon()
    return TOO_LONG
  }

  /** The connection is gone, or the exchange is given up. */
  async abandon(): Promise<void> {
    const guest = this.#guest
    this.#exchange = this.#guest = null
    // A sender holds nothing that could fail to be given back.
    await guest?.login.logout()
  }

  /** RFC 8314 section 3.3: in clear from another machine nobody logs in, for a session can be taken over there. */
  get #private(): boolean {
    const { peer } = this.#context
    return peer.secure || isThisMachine(peer.address)
  }

  get #allowed(): Allowed {
    const { options } = this.#context
    const { logins } = options
    return {
      plaintext: true,
      secrets: logins.secrets(),
      accepts: (kind) => options.portal.accepts(kind) && (kind !== 'scram' || logins.scram()),
    }
  }

  get #surroundings(): Surroundings {
    const { peer, options, tls } = this.#context
    return {
      peer,
      hostname: options.hostname,
      nonce: options.nonce ?? nonce,
      channelBinding: (type) => tls?.channelBinding?.(type) ?? null,
      scramChallenge: (username) => options.portal.scramChallenge(username),
    }
  }

  /** One step; whatever ends the exchange, nothing of it is left for the next. */
  async #run(exchange: Exchange, step: () => Promise<Turn>): Promise<Reply> {
    this.#exchange = null
    try {
      const turn = await step()
      if (turn.kind === 'refused') return this.#refused(turn)
      if (turn.kind === 'login') return await this.#login(exchange, turn.credentials)
      this.#exchange = exchange
      return challenge(turn.text)
    } catch (error) {
      if (error instanceof LoginFailed) return this.#failed(error)
      throw error
    }
  }

  async #login(exchange: Exchange, credentials: NamedCredentials): Promise<Reply> {
    const mechanism = this.#mechanism
    try {
      const login = await this.#timed(credentials)
      const proof = exchange.proof()
      if (proof === null) return await this.#enter({ login, mechanism })
      // 235 has no room for it: it is a challenge, and the client says "go on" by an empty line.
      this.#exchange = exchange
      this.#guest = { login, mechanism }
      return challenge(proof)
    } catch (error) {
      return this.#failed(error, credentials.username)
    }
  }

  async #timed(credentials: NamedCredentials): Promise<Login<Sender>> {
    const { portal, metrics } = this.#context.options
    const begun = performance.now()
    try {
      return await portal.login(credentials, 'sender')
    } finally {
      metrics?.loginSeconds.observe((performance.now() - begun) / 1_000)
    }
  }

  async #acknowledged(guest: Guest, response: Buffer): Promise<Reply> {
    if (response.length > 0) {
      await this.abandon()
      return response.toString('latin1') === '*' ? CANCELLED : BAD_RESPONSE
    }
    this.#exchange = this.#guest = null
    return this.#enter(guest)
  }

  async #enter({ login, mechanism }: Guest): Promise<Reply> {
    const { options, peer } = this.#context
    await this.#context.login?.logout()
    this.#context.login = login
    const facts = { user: login.id, ip: peer.address, secure: peer.secure, method: mechanism }
    options.log.info('smtp login', facts)
    return WELCOME
  }

  #refused({ fault: kind, why }: Extract<Turn, { kind: 'refused' }>): Reply {
    if (kind === 'cancelled') return CANCELLED
    if (kind === 'malformed') return BAD_RESPONSE
    return this.#failed(new LoginRefused({ cause: why }))
  }

  /** Yes, no, and cannot tell are three answers: a client that hears 535 forgets its password. */
  #failed(error: unknown, user?: string): Reply {
    const { options, peer } = this.#context
    const facts = { ip: peer.address, secure: peer.secure, method: this.#mechanism }
    const why = error instanceof LoginFailed ? error.name : 'fault'
    options.log.warn('smtp login failed', { user, ...facts, why, reason: reason(error) })
    const throttled = error instanceof LoginThrottled
    if (!throttled && !(error instanceof LoginRefused)) return CANNOT_TELL
    if (++this.#failures >= MAX_FAILURES) return TOO_OFTEN
    return throttled ? THROTTLED : WRONG
  }
}

/** Who logged in; `null` if nobody did. */
export function userOf({ login }: Context): string | null {
  return login === null || login.id === ANONYMOUS ? null : login.id
}

function challenge(text: string): Reply {
  return { bytes: Buffer.from(`334 ${text}\r\n`, 'latin1') }
}
