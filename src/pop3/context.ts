/** What all states of one conversation know: the server, the client, and what was agreed on. */
import type { Peer } from '../cred/credentials.js'
import type { TlsFacts } from '../net/session.js'
import { isThisMachine } from '../net/this-machine.js'
import type { Surroundings } from '../sasl/mechanism.js'
import { nonce as newNonce } from '../sasl/nonce.js'
import { type Allowed, offeredMechanisms } from '../sasl/mechanisms.js'
import { ENGLISH } from './english.js'
import type { Pop3Options } from './options.js'
import type { Texts } from './texts.js'

export class Context {
  readonly options: Pop3Options
  readonly peer: Peer
  /** Of the greeting, with its angle brackets; `null` if APOP is not offered. */
  readonly challenge: string | null
  readonly #tls: TlsFacts | null
  /** In the language that the client chose last. */
  texts: Texts = ENGLISH
  /**
   * The client understands UTF-8 (RFC 6856 section 2.1). That changes nothing in what it
   * gets, and without it nothing is held back either unless the administrator wants that, though
   * the RFC asks for it: a refused RETR makes mail programs stop there for ever, so one message
   * with an address in UTF-8 would lock a mailbox; and a rewritten one is neither what was sent
   * nor what LIST said.
   */
  utf8 = false

  /** @param tls `null` in clear, and where TLS ends before us */
  constructor(options: Pop3Options, peer: Peer, challenge: string | null, tls: TlsFacts | null) {
    this.options = options
    this.peer = peer
    this.challenge = challenge
    this.#tls = tls
  }

  /** Made anew each time: most clients never ask for AUTH. */
  get surroundings(): Surroundings {
    const { portal, hostname, nonce = newNonce } = this.options
    return {
      peer: this.peer,
      hostname,
      nonce,
      channelBinding: (type) => this.#tls?.channelBinding?.(type) ?? null,
      scramChallenge: (username) => portal.scramChallenge(username),
    }
  }

  /** True if a password may be sent as it is. */
  get plaintextAllowed(): boolean {
    const always = this.options.plaintextLogins?.() !== 'tls-only'
    return always || this.peer.secure || isThisMachine(this.peer.address)
  }

  /** True if a header in UTF-8 must not be sent to this client. */
  get asciiHeadersOnly(): boolean {
    return !this.utf8 && this.options.utf8?.() === 'strict'
  }

  /** What SASL may use. */
  get allowed(): Allowed {
    const { portal, scramOffered, apopOffered } = this.options
    return {
      plaintext: this.plaintextAllowed,
      secrets: apopOffered(),
      accepts: (kind) => portal.accepts(kind) && (kind !== 'scram' || scramOffered()),
    }
  }

  /** Names of the SASL mechanisms that can be used now. */
  get mechanisms(): readonly string[] {
    return offeredMechanisms(this.allowed, this.surroundings)
  }

  /** For the log: who is there, and how it tried to log in. */
  client(method: string) {
    return { ip: this.peer.address, secure: this.peer.secure, method }
  }
}
