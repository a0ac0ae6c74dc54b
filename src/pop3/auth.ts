/** AUTH (RFC 5034): a SASL exchange in lines that are no commands, from the mechanism's name to the mailbox. */
import type { NamedCredentials } from '../cred/credentials.js'
import { LoginFailed, LoginRefused } from '../cred/errors.js'
import type { Login } from '../cred/realm.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Exchange, Turn } from '../sasl/exchange.js'
import { beginExchange } from '../sasl/mechanisms.js'
import type { Context } from './context.js'
import { listing } from './listing.js'
import { admit, enter, refused } from './login.js'
import { err, line, ok } from './reply.js'
import type { LineTaker, Reply } from './state.js'

/** RFC 4422 section 3.1, in any case; then one space and the initial response. */
const ARGUMENT = /^([A-Za-z0-9_-]{1,20})(?: (.*))?$/s
const PLAINTEXT = ['PLAIN', 'LOGIN']

/** Somebody who has proven himself and whom the server is proving itself to. */
interface Guest {
  readonly login: Login<Mailbox>
  readonly kind: string
}

export class Auth implements LineTaker {
  readonly #context: Context
  /** `null` while lines are commands. */
  #exchange: Exchange | null = null
  #guest: Guest | null = null

  constructor(context: Context) {
    this.#context = context
  }

  /** Set while an exchange runs. */
  get lines(): LineTaker | null {
    return this.#exchange === null ? null : this
  }

  /** The verb. Bare it lists the mechanisms: not in the RFC, and what mail programs older than CAPA expect. */
  async begin(argument: Buffer): Promise<Reply> {
    if (argument.length === 0) return this.#list()
    const { allowed, surroundings, texts } = this.#context
    const [, name = '', initial = null] = ARGUMENT.exec(argument.toString('latin1')) ?? []
    const exchange = beginExchange(name, allowed, surroundings)
    if (exchange !== null) return this.#run(exchange, () => exchange.begin(initial))
    const clear = PLAINTEXT.includes(name.toUpperCase()) && !allowed.plaintext
    return err(clear ? texts.noClearPasswords : texts.noSuchMechanism)
  }

  async take(response: Buffer): Promise<Reply> {
    const exchange = this.#exchange!
    if (this.#guest !== null) return this.#acknowledged(this.#guest, response)
    return this.#run(exchange, () => exchange.take(response))
  }

  async abandon(): Promise<void> {
    const guest = this.#guest
    this.#exchange = null
    this.#guest = null
    await guest?.login.logout()
  }

  #list(): Reply {
    const { mechanisms, texts } = this.#context
    if (mechanisms.length === 0) return err(texts.noMechanisms)
    return ok(texts.mechanisms, { body: listing(mechanisms) })
  }

  /** One step; whatever ends the exchange, nothing of it is left (RFC 5034 section 4). */
  async #run(exchange: Exchange, step: () => Promise<Turn>): Promise<Reply> {
    this.#exchange = null
    try {
      const turn = await step()
      if (turn.kind === 'refused') return this.#refused(turn)
      if (turn.kind === 'login') return await this.#login(exchange, turn.credentials)
      this.#exchange = exchange
      return challenge(turn.text)
    } catch (error) {
      if (error instanceof LoginFailed) return refused(this.#context, { kind: 'sasl' }, error)
      throw error
    }
  }

  async #login(exchange: Exchange, credentials: NamedCredentials): Promise<Reply> {
    const { kind } = credentials
    const { login, refusal } = await admit(this.#context, credentials)
    if (login === null) return refusal
    const proof = exchange.proof()
    if (proof === null) return enter(this.#context, login, kind)
    // POP3 has no room for it in +OK: it is a challenge, and the client says "go on" by an empty line.
    this.#exchange = exchange
    this.#guest = { login, kind }
    return challenge(proof)
  }

  async #acknowledged({ login, kind }: Guest, response: Buffer): Promise<Reply> {
    if (response.length === 0) {
      this.#exchange = null
      this.#guest = null
      return enter(this.#context, login, kind)
    }
    await this.abandon()
    const { texts } = this.#context
    return err(response.equals(CANCEL) ? texts.cancelled : texts.badResponse)
  }

  #refused({ fault, why }: Extract<Turn, { kind: 'refused' }>): Reply {
    const { texts } = this.#context
    if (fault === 'cancelled') return err(texts.cancelled)
    if (fault === 'malformed') return err(texts.badResponse)
    const error = new LoginRefused({ cause: why })
    return refused(this.#context, { kind: 'sasl' }, error)
  }
}

const CANCEL = Buffer.from('*')

const challenge = (text: string): Reply => ({ head: line(`+ ${text}`) })
