/** RFC 1939 section 4: the client has not yet said who it is. */
import { isIPv4 } from 'node:net'
import type { Credentials, Peer } from '../cred/credentials.js'
import { LoginInUse, LoginRefused } from '../cred/errors.js'
import { reason } from '../log/log.js'
import { parseApop, provesSecret } from './apop.js'
import { capabilities } from './capa.js'
import { parseText } from './command.js'
import { MAX_PASSWORD, MAX_UNKNOWN, type Pop3Options } from './options.js'
import { err, later, noArgument, ok } from './reply.js'
import type { Reply, State, Verb } from './state.js'
import { Transaction } from './transaction.js'

type NamedCredentials = Exclude<Credentials, { kind: 'anonymous' }>

export class Authorization implements State {
  readonly #options: Pop3Options
  readonly #peer: Peer
  readonly #challenge: string | null
  /** Named by USER, waiting for PASS. */
  #username: string | null = null

  readonly refusal = 'no such command before the login'
  readonly maxUnknown = MAX_UNKNOWN
  readonly verbs: ReadonlyMap<string, Verb> = new Map<string, Verb>([
    ['USER', (name) => this.#user(name)],
    ['PASS', (password) => this.#pass(password)],
    ['APOP', (proof) => this.#apop(proof)],
    // Thunderbird sends it bare to see mechanisms, and goes on with CAPA after a no.
    ['AUTH', () => err('no SASL mechanisms here; use USER and PASS')],
    ['STLS', (extra) => (extra.length > 0 ? noArgument() : this.#stls())],
    ['CAPA', (extra) => (extra.length > 0 ? noArgument() : this.#capa())],
    ['QUIT', (extra) => (extra.length > 0 ? noArgument() : ok('bye', { next: null }))],
  ])

  /** @param challenge of the greeting, with its angle brackets; `null` if APOP is not offered */
  constructor(options: Pop3Options, peer: Peer, challenge: string | null) {
    this.#options = options
    this.#peer = peer
    this.#challenge = challenge
  }

  /** Nothing is held before a login. */
  async leave(): Promise<void> {}

  /** Says yes to every name: which of them exist is told to nobody. */
  #user(argument: Buffer): Reply {
    const again = this.#username !== null
    this.#username = null
    // Not the new name, not the old one: a PASS already on its way must not open the wrong mailbox.
    if (again) return err('USER was given already; begin again')
    if (!this.#plaintextAllowed()) return err('no passwords in clear here; use STLS or POP3S')
    this.#username = parseText(argument)
    if (this.#username === null) return err('a user name is UTF-8 without control characters')
    return ok('now the password')
  }

  #pass(argument: Buffer): Reply | Promise<Reply> {
    const username = this.#username
    this.#username = null
    if (username === null) return err('USER comes first')
    const password = argument.length > MAX_PASSWORD ? null : parseText(argument)
    if (password === null) return err('a password is UTF-8 without control characters')
    return this.#login({ kind: 'password', peer: this.#peer, username, password })
  }

  #apop(argument: Buffer): Reply | Promise<Reply> {
    this.#username = null
    const challenge = this.#challenge
    if (challenge === null) return err('APOP is not offered here')
    const proof = parseApop(argument)
    if (proof === null) return err('APOP takes a name and 32 hexadecimal digits')
    const verify = (secret: string) => provesSecret(proof.digest, challenge, secret)
    return this.#login({ kind: 'secret', peer: this.#peer, username: proof.username, verify })
  }

  async #login(credentials: NamedCredentials): Promise<Reply> {
    const { log, portal } = this.#options
    try {
      const login = await portal.login(credentials, 'mailbox')
      log.info('pop3 login', { user: login.id, ...this.#client(credentials.kind) })
      const state = new Transaction(login, log, this.#peer)
      return ok(state.summary, { next: state })
    } catch (error) {
      const fields = { user: credentials.username, ...this.#client(credentials.kind) }
      log.warn('pop3 login failed', { ...fields, reason: reason(error) })
      return refusedLogin(error)
    }
  }

  #stls(): Reply {
    if (this.#peer.secure) return err('TLS is on already')
    if (!this.#options.tlsAvailable()) return err('no TLS here')
    return ok('begin TLS now', { starttls: true })
  }

  #capa(): Reply {
    const stls = !this.#peer.secure && this.#options.tlsAvailable()
    const user = this.#plaintextAllowed()
    return capabilities([...(user ? ['USER'] : []), ...(stls ? ['STLS'] : [])])
  }

  #plaintextAllowed(): boolean {
    const always = this.#options.plaintextLogins !== 'tls-only'
    return always || this.#peer.secure || isLocal(this.#peer.address)
  }

  #client(method: string) {
    return { ip: this.#peer.address, secure: this.#peer.secure, method }
  }
}

/** Yes, no, and cannot tell are three answers: a client that hears [AUTH] forgets its password. */
function refusedLogin(error: unknown): Reply {
  if (error instanceof LoginRefused) {
    return err('wrong name or password', { code: 'AUTH', blame: 'login' })
  }
  if (error instanceof LoginInUse)
    return later('the mailbox is in use by another session', 'IN-USE')
  return later('logins cannot be checked now')
}

/** True for this machine: loopback, or a UNIX socket, which has no address. */
function isLocal(address: string): boolean {
  return address === '' || address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}
