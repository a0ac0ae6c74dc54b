/**
 * Opens a connection to a server up to where mail may be handed over: greeting, EHLO (RFC 5321
 * section 3.2), TLS as it is demanded (RFC 3207), login (RFC 4954). Keeps what it has seen, for probes.
 */
import { isIP } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { parseDomain } from '../mail/address.js'
import { misconfigured, Refusal, tlsRequired } from '../mail/refusal.js'
import { isThisMachine } from '../net/this-machine.js'
import { ProtocolError, saidBy } from '../transport/faults.js'
import { extensionsOf, isGood, refusalFrom, type Reply } from '../transport/reply.js'
import { Talk } from '../transport/talk.js'
import { laterFor } from './answers.js'
import type { Hop, TlsDemand } from './hop.js'
import { logIn } from './login.js'
import type { Patience } from './patience.js'
import { tlsOptions } from './tls-client.js'
import { type TlsFacts, tlsFacts } from './tls-facts.js'

export type Stage = 'connect' | 'greeting' | 'hello' | 'tls' | 'login' | 'ready'

export interface OpeningOptions {
  /** What we call ourselves. */
  readonly hostname: string
  readonly patience: Patience
  /** RFC 8689: TLS with a certificate that proves who it is, whatever the hop asks for. */
  readonly requireTls: boolean
  /** TLS has failed already, and the hop can do without. */
  readonly inClear: boolean
}

/** Not RFC 5321's own command for one of the two protocols (RFC 2033 section 4.1). */
const HELLO = { smtp: 'EHLO', lmtp: 'LHLO' } as const

export class Opening {
  readonly #hop: Hop
  readonly #options: OpeningOptions
  readonly #demand: TlsDemand
  #talk: Talk | null = null
  /** IP address of the server, once it is known. */
  #address = ''
  #socket: TLSSocket | null = null
  /** What is under way, or has failed. */
  stage: Stage = 'connect'
  /** `name [address]`. */
  server: string
  greeting: string | null = null
  /** Offers of the last EHLO; none after HELO. */
  extensions: ReadonlyMap<string, string> = new Map()
  tls: TlsFacts | null = null
  mechanism: string | null = null

  constructor(hop: Hop, options: OpeningOptions) {
    this.#hop = hop
    this.#options = options
    this.#demand = demandOf(hop, options.requireTls)
    this.server = hop.address === null ? hop.name : `${hop.name} [${hop.address}]`
  }

  /** Names of SASL mechanisms that the server offers now, in capitals. */
  get mechanisms(): ReadonlySet<string> {
    const words = this.extensions.get('AUTH')?.toUpperCase().split(' ') ?? []
    return new Set(words.filter((word) => word !== ''))
  }

  /** True if the hop wants TLS where it can be had, and this failed at it. */
  get mayDoWithoutTls(): boolean {
    const { implicitTls } = this.#hop
    const tried = this.stage === 'tls' && !this.#options.inClear
    return tried && this.#demand.kind === 'may' && !implicitTls && this.#mayLogInInClear
  }

  get #mayLogInInClear(): boolean {
    return this.#hop.login === null || (this.#talk !== null && isThisMachine(this.#address))
  }

  /** @throws Refusal; the connection is closed then */
  async run(): Promise<Talk> {
    try {
      const talk = await this.#connect()
      await this.#greet(talk)
      await this.#hello(talk)
      if (this.tls === null) await this.#startTls(talk)
      await this.#logIn(talk)
      this.stage = 'ready'
      return talk
    } catch (error) {
      this.#talk?.close()
      throw error instanceof Refusal ? error : laterFor(error, DOING[this.stage])
    }
  }

  async #connect(): Promise<Talk> {
    const { name, address, port, implicitTls } = this.#hop
    const host = address ?? name
    // Nothing else reaches the resolver of the system (NUL, blanks, `127.1`).
    if (isIP(host) === 0 && parseDomain(host) === null) throw misconfigured(new Error('no host'))
    const talk = await Talk.open({ kind: 'tcp', host, port }, this.#options.patience.connect)
    this.#talk = talk
    this.#address = talk.address
    this.server = `${name} [${talk.address}]`
    this.stage = 'greeting'
    if (implicitTls) await this.#secure(talk)
    return talk
  }

  async #greet(talk: Talk): Promise<void> {
    this.stage = 'greeting'
    const reply = await talk.reply(this.#options.patience.greeting)
    this.greeting = saidBy(reply)
    // RFC 5321 section 3.1, RFC 7504: it takes no mail from us; others may.
    requireYes(reply)
  }

  async #hello(talk: Talk): Promise<void> {
    this.stage = 'hello'
    const { hostname, patience } = this.#options
    const { protocol } = this.#hop
    const reply = await talk.ask(`${HELLO[protocol]} ${hostname}`, patience.command)
    this.extensions = isGood(reply) ? extensionsOf(reply) : new Map()
    // RFC 5321 section 3.2: a server from before 1993 knows only HELO.
    const old = reply.code >= 500 && protocol === 'smtp' && this.tls === null
    requireYes(old ? await talk.ask(`HELO ${hostname}`, patience.command) : reply)
  }

  async #startTls(talk: Talk): Promise<void> {
    const { kind } = this.#demand
    if (kind === 'never' || this.#options.inClear) return
    this.stage = 'tls'
    if (!this.extensions.has('STARTTLS')) {
      if (kind === 'may') return
      throw this.#noTls('the server does not offer TLS, and without it no mail goes there')
    }
    const reply = await talk.ask('STARTTLS', this.#options.patience.command)
    if (reply.code !== 220) throw refusedTls(reply)
    await this.#secure(talk)
    // RFC 3207 section 4.2: what was said before counts no more.
    await this.#hello(talk)
  }

  async #secure(talk: Talk): Promise<void> {
    this.stage = 'tls'
    this.#socket = await talk.secure(tlsOptions(this.#hop), this.#options.patience.handshake)
    this.tls = tlsFacts(this.#socket, this.#demand, this.#hop.name)
    const { problem } = this.tls
    if (problem === null || !['verify', 'dane'].includes(this.#demand.kind)) return
    throw this.#noTls(`the certificate of the server proves nothing: ${problem}`)
  }

  async #logIn(talk: Talk): Promise<void> {
    const { login } = this.#hop
    this.stage = 'login'
    if (login === null) return
    if (this.tls === null && !this.#mayLogInInClear) {
      throw new Refusal(
        451,
        '4.7.0',
        'the server has no TLS, and a login never goes there in clear',
      )
    }
    const withinMs = this.#options.patience.command
    this.mechanism = await logIn(talk, login, this.mechanisms, this.#socket, withinMs)
  }

  /** For good only if the sender asked for it: RFC 8689 section 4.2.1. */
  #noTls(text: string): Refusal {
    return this.#options.requireTls ? tlsRequired() : new Refusal(451, '4.7.5', text.slice(0, 300))
  }
}

const DOING: Readonly<Record<Stage, string>> = {
  connect: 'connecting',
  greeting: 'waiting for the greeting',
  hello: 'sending EHLO',
  tls: 'starting TLS',
  login: 'logging in',
  ready: 'ready',
}

/** RFC 8689 section 4.2.1 takes nothing less. */
function demandOf({ name, tls }: Hop, requireTls: boolean): TlsDemand {
  if (!requireTls || tls.kind === 'verify' || tls.kind === 'dane') return tls
  return { kind: 'verify', names: [name], ca: null }
}

function requireYes(reply: Reply): void {
  if (!isGood(reply)) throw refusalFrom(reply)
}

/** RFC 3207 section 4: 454 and whatever else; it offered TLS and cannot. */
function refusedTls(reply: Reply): Error {
  if (reply.code < 400) return new ProtocolError(`an unexpected ${saidBy(reply)}`)
  const { message } = refusalFrom(reply)
  return new Refusal(451, '4.7.0', `the server will not start TLS: ${message}`)
}
