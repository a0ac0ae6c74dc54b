/** What a client can bring to prove who it is. */

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

export type Credentials = AnonymousCredentials | PasswordCredentials | SecretCredentials

export type Kind = Credentials['kind']
