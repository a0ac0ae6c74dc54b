/** A POP3 conversation (RFC 1939) without a socket: hands each line to the state, and ends what is no conversation. */
import type { Peer } from '../cred/credentials.js'
import { reason } from '../log/log.js'
import type { Answer, Farewell, LineFault, Session } from '../net/session.js'
import { uniqueChallenge } from './apop.js'
import { Authorization } from './authorization.js'
import { parseCommand } from './command.js'
import {
  IDLE_MS,
  MAX_COMMAND,
  MAX_ERRORS,
  MAX_LINE,
  MAX_LOGIN_FAILURES,
  type Pop3Options,
} from './options.js'
import { err, later, ok } from './reply.js'
import type { Blame, Reply, State } from './state.js'

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

/** RFC 1939 section 3 wants an idle client cut off without a word. */
const FAREWELLS: Readonly<Record<Farewell, Buffer>> = {
  idle: Buffer.alloc(0),
  stopping: later('the server is stopping, nothing was removed').head,
  'too-many': later('too many connections').head,
}

const FAULTS: Readonly<Record<LineFault, () => Reply>> = {
  overlong: () => tooLong(),
  'bare-lf': () => err('lines end in CR LF', { next: null }),
  'out-of-step': () => err('nothing may follow this command before its answer', { next: null }),
  'tls-hello': () => err('TLS begins with STLS on this port', { next: null }),
}

export class Pop3Session implements Session {
  readonly maxLine = MAX_LINE
  /** Nothing can be smuggled into a retrieval, and people type POP3 by hand. */
  readonly bareLf = true
  readonly patience = IDLE_MS
  readonly raw = null

  readonly #options: Pop3Options
  #peer: Peer
  readonly #challenge: string | null
  #state: State
  #blamed: Record<Blame, number> = { unknown: 0, login: 0, refused: 0 }
  /** The command that is being carried out; never rejects. */
  #running: Promise<unknown> = Promise.resolve()
  #why = 'connection lost'

  constructor(options: Pop3Options, peer: Peer) {
    const challenge = options.challenge ?? uniqueChallenge
    this.#options = options
    this.#peer = peer
    this.#challenge = options.apopOffered() ? `<${challenge()}@${options.hostname}>` : null
    this.#state = new Authorization(options, peer, this.#challenge)
  }

  greet(): Answer {
    const ready = `${this.#options.hostname} POP3 ready`
    return ok(this.#challenge === null ? ready : `${ready} ${this.#challenge}`)
  }

  command(bytes: Buffer): Answer | Promise<Answer> {
    try {
      const reply = this.#reply(bytes)
      if (!(reply instanceof Promise)) return this.#answer(reply)
      const answer = reply
        .catch((error: unknown) => this.#failed(error))
        .then((r) => this.#answer(r))
      this.#running = answer
      return answer
    } catch (error) {
      return this.#answer(this.#failed(error))
    }
  }

  /** RFC 2595 section 4: what follows STLS in clear may be somebody else's. */
  mustBeLast(bytes: Buffer): boolean {
    const { verb } = parseCommand(bytes)
    return verb === 'STLS' && !this.#peer.secure && this.#state.verbs.has(verb)
  }

  fault(fault: LineFault): Answer {
    return this.#answer(FAULTS[fault]())
  }

  farewell(why: Farewell): Buffer {
    this.#why = why
    return FAREWELLS[why]
  }

  /** A name given in clear is forgotten, failures are not: TLS is no way to get more guesses. */
  secured(): void {
    this.#peer = { ...this.#peer, secure: true }
    this.#state = new Authorization(this.#options, this.#peer, this.#challenge)
  }

  /** A login or a removal that is under way ends first: its lock is given back, too. */
  async closed(): Promise<void> {
    await this.#running
    await this.#state.leave(this.#why)
  }

  #reply(bytes: Buffer): Reply | Promise<Reply> {
    const { verb, argument } = parseCommand(bytes)
    if (HTTP.has(verb)) return err('this is POP3', { next: null })
    if (verb !== 'PASS' && bytes.length + 2 > MAX_COMMAND) return tooLong()
    const act = this.#state.verbs.get(verb)
    return act === undefined ? err(this.#state.refusal, { blame: 'unknown' }) : act(argument)
  }

  /** An unexpected error always means "later". */
  #failed(error: unknown): Reply {
    this.#options.log.error('pop3 fault', { ip: this.#peer.address, reason: reason(error) })
    return later('local error, nothing is lost')
  }

  #answer(reply: Reply): Answer {
    const { head, body, next, starttls, blame } = reply
    if (next) this.#enter(next)
    const over = next === null || (blame !== undefined && this.#tooMuch(blame))
    const then = over ? 'close' : starttls && 'starttls'
    return { head, ...(body && { body }), ...(then && { then }) }
  }

  #enter(state: State): void {
    this.#state = state
    this.#blamed = { unknown: 0, login: 0, refused: 0 }
  }

  #tooMuch(blame: Blame): boolean {
    this.#blamed[blame]++
    const { unknown, login, refused } = this.#blamed
    const over =
      unknown >= this.#state.maxUnknown ||
      login >= MAX_LOGIN_FAILURES ||
      unknown + login + refused >= (this.#options.maxErrors ?? MAX_ERRORS)
    if (over) this.#why = 'too many errors'
    return over
  }
}

const tooLong = (): Reply => err('line too long', { blame: 'unknown' })
