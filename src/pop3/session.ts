/** A POP3 conversation (RFC 1939) without a socket: hands each line to the state, and ends what is no conversation. */
import type { Peer } from '../cred/credentials.js'
import { reason } from '../log/log.js'
import type { Reason } from '../metrics/reasons.js'
import type { Answer, Farewell, LineFault, Session, TlsFacts } from '../net/session.js'
import { uniqueChallenge } from './apop.js'
import { Authorization } from './authorization.js'
import { parseCommand } from './command.js'
import { Context } from './context.js'
import {
  IDLE_MS,
  MAX_COMMAND,
  MAX_ERRORS,
  MAX_LINE,
  MAX_LOGIN_FAILURES,
  MAX_RESPONSE_LINE,
  type Pop3Options,
} from './options.js'
import { err, later, ok, systemCode } from './reply.js'
import type { Blame, Reply, State } from './state.js'
import type { Texts } from './texts.js'

/** A browser that was led to this port: its request body could hold POP3 commands. */
const HTTP = new Set([
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'PATCH',
])

/** A pass phrase has more octets than RFC 2449 section 4 allows a line, so may have an initial response. */
const LONG = new Set(['PASS', 'AUTH'])

const STLS = 'STLS'
const NOTHING = Buffer.alloc(0)

/**
 * RFC 1939 section 3 wants an idle client cut off without a word, and POP3 has no word that is
 * no answer: what is said unasked would be taken for that to the next command. Only the
 * greeting is expected by everybody, so an error may stand in its place.
 */
const FAREWELLS: Readonly<Record<Farewell, (texts: Texts) => Buffer>> = {
  idle: () => NOTHING,
  stopping: () => NOTHING,
  'too-many': ({ tooManyConnections }) => later(tooManyConnections).head,
  'too-many-yours': ({ tooManyConnections }) => later(tooManyConnections).head,
}

/** What a client has too many of, as the metrics call it. */
const LIMITS: Readonly<Record<Blame, Reason>> = {
  unknown: 'pop3_unknown_commands',
  login: 'login_failures_per_connection',
  refused: 'pop3_errors',
}

const SILENCE: Answer = { head: NOTHING, then: 'close' }

const FAULTS: Readonly<Record<LineFault, (texts: Texts) => Reply>> = {
  overlong: ({ tooLong }) => err(tooLong, { blame: 'unknown' }),
  'bare-lf': ({ lineEnds }) => err(lineEnds, { next: null }),
  'out-of-step': ({ outOfStep }) => err(outOfStep, { next: null }),
  'tls-hello': ({ tlsTooEarly }) => err(tlsTooEarly, { next: null }),
}

export class Pop3Session implements Session {
  /** Nothing can be smuggled into a retrieval, and people type POP3 by hand. */
  readonly bareLf = true
  readonly patience = IDLE_MS
  readonly raw = null

  readonly #options: Pop3Options
  #context: Context
  #state: State
  #blamed: Record<Blame, number> = { unknown: 0, login: 0, refused: 0 }
  /** The command that is being carried out; never rejects. */
  #running: Promise<unknown> = Promise.resolve()
  /** A command waits for its answer. */
  #busy = false
  #why = 'connection lost'
  #hangUp: () => void = () => {}
  /** A newer login has the mailbox. */
  #revoked = false

  constructor(options: Pop3Options, peer: Peer) {
    const unique = options.challenge ?? uniqueChallenge
    const challenge = options.apopOffered() ? `<${unique()}@${options.hostname}>` : null
    this.#options = options
    this.#context = new Context(options, peer, challenge, null)
    this.#state = new Authorization(this.#context)
  }

  get maxLine(): number {
    return this.#state.lines === null ? MAX_LINE : MAX_RESPONSE_LINE
  }

  connected(hangUp: () => void): void {
    this.#hangUp = hangUp
  }

  greet(): Answer {
    const { challenge, texts } = this.#context
    const ready = texts.ready(this.#options.hostname)
    return ok(challenge === null ? ready : `${ready} ${challenge}`)
  }

  command(bytes: Buffer): Answer | Promise<Answer> {
    try {
      this.#state.touch?.()
      if (this.#revoked) return SILENCE
      const reply = this.#reply(bytes)
      if (!(reply instanceof Promise)) return this.#answer(reply)
      const answer = this.#finished(reply)
      this.#running = answer
      return answer
    } catch (error) {
      return this.#answer(this.#failed(error))
    }
  }

  /** RFC 2595 section 4: what follows STLS in clear may be somebody else's. */
  mustBeLast(bytes: Buffer): boolean {
    // Asked for each of many pipelined commands: most are none that could be it.
    const possible = this.#state.lines === null && !this.#context.peer.secure
    if (!possible || this.#state.verb(STLS) === undefined) return false
    return parseCommand(bytes).verb === STLS
  }

  fault(fault: LineFault): Answer {
    this.#abandonExchange()
    return this.#answer(FAULTS[fault](this.#context.texts))
  }

  farewell(why: Farewell): Buffer {
    this.#why = why
    if (why === 'idle') this.#reached('silence')
    return FAREWELLS[why](this.#context.texts)
  }

  /** What was said in clear is forgotten, failures are not: TLS is no way to get more guesses. */
  secured(tls: TlsFacts): void {
    const { peer, challenge } = this.#context
    this.#context = new Context(this.#options, { ...peer, secure: true }, challenge, tls)
    this.#state = new Authorization(this.#context)
  }

  /** A login or a removal that is under way ends first: its lock is given back, too. */
  async closed(): Promise<void> {
    await this.#running
    await this.#state.leave(this.#why)
  }

  #reply(bytes: Buffer): Reply | Promise<Reply> {
    const { lines } = this.#state
    if (lines !== null) return lines.take(bytes)
    const { verb, argument } = parseCommand(bytes)
    const { texts } = this.#context
    if (HTTP.has(verb)) return err(texts.thisIsPop3, { next: null })
    if (!LONG.has(verb) && bytes.length + 2 > MAX_COMMAND) return FAULTS.overlong(texts)
    const act = this.#state.verb(verb)
    return act === undefined ? err(this.#state.refusal, { blame: 'unknown' }) : act(argument)
  }

  /** Also when the mailbox is lost meanwhile: what was asked is answered, and then it is over. */
  async #finished(reply: Promise<Reply>): Promise<Answer> {
    this.#busy = true
    const answer = this.#answer(await reply.catch((error: unknown) => this.#failed(error)))
    this.#busy = false
    return this.#revoked ? { ...answer, then: 'close' } : answer
  }

  /** An unexpected error always means "later". */
  #failed(error: unknown): Reply {
    const { peer, texts } = this.#context
    this.#options.log.error('pop3 fault', { ip: peer.address, reason: reason(error) })
    return later(texts.localError, systemCode(error))
  }

  /** In the background: a fault is answered at once. */
  #abandonExchange(): void {
    const { lines } = this.#state
    if (lines === null) return
    this.#running = lines.abandon().catch((error: unknown) => this.#failed(error))
  }

  #answer(reply: Reply): Answer {
    const { head, body, next, starttls, blame } = reply
    if (next) this.#enter(next)
    const over = next === null || (blame !== undefined && this.#tooMuch(blame))
    const then = over ? 'close' : starttls && 'starttls'
    if (then) return body ? { head, body, then } : { head, then }
    return body ? { head, body } : { head }
  }

  #enter(state: State): void {
    this.#state = state
    state.onRevoked?.(() => this.#revoke())
    this.#blamed = { unknown: 0, login: 0, refused: 0 }
  }

  /** Nothing is said to a client that asked nothing: it would be taken for the answer to its next command. */
  #revoke(): void {
    this.#revoked = true
    this.#why = 'taken over by a newer login'
    if (!this.#busy) this.#hangUp()
  }

  /** For the metrics, and for whoever wants to know why a client is sent away. */
  #reached(limit: Reason): void {
    this.#options.log.debug('pop3 limit', { limit, ip: this.#context.peer.address })
  }

  #tooMuch(blame: Blame): boolean {
    this.#blamed[blame]++
    const { unknown, login, refused } = this.#blamed
    const over =
      unknown >= this.#state.maxUnknown ||
      login >= MAX_LOGIN_FAILURES ||
      unknown + login + refused >= (this.#options.maxErrors ?? MAX_ERRORS)
    if (!over) return false
    this.#why = 'too many errors'
    this.#reached(LIMITS[blame])
    return true
  }
}
