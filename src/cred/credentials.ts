/** What a client can bring to prove who it is. */
import type { ScramKeys } from './scram.js'

/** Where a client speaks from; fixed for the life of a connection but for `secure`. */
export interface Peer {
  /** IP address, or `''` for a UNIX socket. IPv4-mapped IPv6 is written as IPv4. */
  readonly address: string
  readonly port: number
  /** The protocol that asks, in lower case: `smtp`, `pop3`. */
  readonly protocol: string
  /** True once TLS is up. */
  readonly secure: boolean
}

/** Nobody in particular: every SMTP connection starts as this. */
export interface AnonymousCredentials {
  readonly kind: 'anonymous'
  readonly peer: Peer
}

/** A name and the password itself: USER/PASS, AUTH PLAIN, AUTH LOGIN. */
export interface PasswordCredentials {
  readonly kind: 'password'
  readonly peer: Peer
  /** As the client wrote it; may lack `@domain`. */
  readonly username: string
  /** At most 1,024 bytes of UTF-8: the protocols see to that. */
  readonly password: string
}

/**
 * A name and the answer to a challenge that only a holder of the clear-text
 * secret can compute (APOP, CRAM-MD5). The checker brings the secret, the
 * protocol knows the computation.
 */
export interface SecretCredentials {
  readonly kind: 'secret'
  readonly peer: Peer
  readonly username: string
  /** True if the client's answer was made with this secret. Compares in constant time. */
  verify(secret: string): boolean
}

/** A name and a proof that was made from the password and what the portal's `scramChallenge` says (RFC 5802). */
export interface ScramCredentials {
  readonly kind: 'scram'
  readonly peer: Peer
  readonly username: string
  /** True if whoever made the proof knows the password behind these keys. Compares in constant time. */
  verify(keys: ScramKeys): boolean
}

/** A token that somebody else gave out to whoever has logged in there (RFC 6750): OAUTHBEARER, XOAUTH2. */
export interface BearerCredentials {
  readonly kind: 'bearer'
  readonly peer: Peer
  /** Whom the client wants to be; empty if it leaves that to the token. */
  readonly username: string
  /** At most 8,192 octets of printable ASCII: the mechanisms see to that. */
  readonly token: string
}

/** Of somebody who says who he is. */
export type NamedCredentials =
  | PasswordCredentials
  | SecretCredentials
  | ScramCredentials
  | BearerCredentials

export type Credentials = AnonymousCredentials | NamedCredentials

export type Kind = Credentials['kind']
