/** RFC 1939 section 4: the client has not yet said who it is. */
import { parseApop, provesSecret } from './apop.js'
import { Auth } from './auth.js'
import { capabilities } from './capa.js'
import { parseText } from './command.js'
import type { Context } from './context.js'
import { lang } from './language.js'
import { logIn } from './login.js'
import { MAX_UNKNOWN } from './options.js'
import { err, ok } from './reply.js'
import type { LineTaker, Reply, State, Verb } from './state.js'
import { bare } from './verb.js'

/** A verb of one session. */
type AuthorizationVerb = (self: Authorization) => Verb

export class Authorization implements State {
  readonly #context: Context
  readonly #auth: Auth
  /** Named by USER, waiting for PASS. */
  #username: string | null = null

  readonly maxUnknown = MAX_UNKNOWN

  /** Made once for all sessions: each has another use for two or three of them. */
  static readonly #verbs: ReadonlyMap<string, AuthorizationVerb> = new Map<
    string,
    AuthorizationVerb
  >([
    ['USER', (self) => (name) => self.#user(name)],
    ['PASS', (self) => (password) => self.#pass(password)],
    ['APOP', (self) => (proof) => self.#apop(proof)],
    ['AUTH', (self) => (argument) => self.#sasl(argument)],
    ['UTF8', (self) => self.#bare(() => self.#utf8())],
    ['LANG', (self) => (range) => lang(range, self.#context)],
    ['STLS', (self) => self.#bare(() => self.#stls())],
    ['CAPA', (self) => self.#bare(() => self.#capa())],
    ['QUIT', (self) => self.#bare(() => ok(self.#context.texts.bye, { next: null }))],
  ])

  constructor(context: Context) {
    this.#context = context
    this.#auth = new Auth(context)
  }

  verb(name: string): Verb | undefined {
    return Authorization.#verbs.get(name)?.(this)
  }

  get refusal(): string {
    return this.#context.texts.notBeforeLogin
  }

  get lines(): LineTaker | null {
    return this.#auth.lines
  }

  /** Nothing is held before a login but by somebody who is just proving himself. */
  async leave(): Promise<void> {
    await this.#auth.abandon()
  }

  #bare(act: () => Reply): Verb {
    return bare(this.#context, act)
  }

  /** Says yes to every name: which of them exist is told to nobody. */
  #user(argument: Buffer): Reply {
    const { texts, plaintextAllowed } = this.#context
    const again = this.#username !== null
    this.#username = null
    // Not the new name, not the old one: a PASS already on its way must not open the wrong mailbox.
    if (again) return err(texts.userAgain)
    if (!plaintextAllowed) return err(texts.noClearPasswords)
    this.#username = parseText(argument)
    if (this.#username === null) return err(texts.badName)
    return ok(texts.nowThePassword)
  }

  #pass(argument: Buffer): Reply | Promise<Reply> {
    const { peer, texts } = this.#context
    const username = this.#username
    this.#username = null
    if (username === null) return err(texts.userFirst)
    const password = parseText(argument)
    if (password === null) return err(texts.badPassword)
    return logIn(this.#context, { kind: 'password', peer, username, password })
  }

  #apop(argument: Buffer): Reply | Promise<Reply> {
    this.#username = null
    const { challenge, peer, texts } = this.#context
    if (challenge === null) return err(texts.noApop)
    const proof = parseApop(argument)
    if (proof === null) return err(texts.apopArguments)
    const verify = (secret: string) => provesSecret(proof.digest, challenge, secret)
    return logIn(this.#context, { kind: 'secret', peer, username: proof.username, verify })
  }

  #sasl(argument: Buffer): Promise<Reply> {
    this.#username = null
    return this.#auth.begin(argument)
  }

  #utf8(): Reply {
    this.#context.utf8 = true
    return ok(this.#context.texts.utf8)
  }

  #stls(): Reply {
    const { texts, utf8 } = this.#context
    if (this.#context.peer.secure) return err(texts.tlsAlready)
    if (!this.#context.options.tlsAvailable()) return err(texts.noTls)
    // RFC 6856 section 2.1: what was agreed on in clear would have to be agreed on again.
    if (utf8) return err(texts.tlsAfterUtf8)
    return ok(texts.beginTls, { starttls: true })
  }

  #capa(): Reply {
    const { peer, options } = this.#context
    return capabilities(this.#context, !peer.secure && options.tlsAvailable())
  }
}
