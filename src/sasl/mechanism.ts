/** One way to authenticate, on the server's side (RFC 4422 section 5): messages in, a challenge or credentials out. */
import type { NamedCredentials, Peer } from '../cred/credentials.js'
import type { ScramChallenge } from '../cred/scram.js'

/** A new one for each attempt: nothing of one attempt is left for the next. */
export interface Mechanism {
  /** @param initial the client's initial response, decoded; `null` if it sent none */
  start(initial: Buffer | null): Step | Promise<Step>
  /** @param response to the last challenge, decoded */
  next(response: Buffer): Step | Promise<Step>
}

export type Step =
  | { readonly kind: 'challenge'; readonly challenge: Buffer }
  | LoginStep
  | RefusedStep

/** Nothing more to ask: whoever drives the exchange takes the credentials to the portal. */
export interface LoginStep {
  readonly kind: 'login'
  readonly credentials: NamedCredentials
  /** After a successful login: how the server proves itself to the client, `null` if the mechanism has no such thing. */
  readonly proof: () => Buffer | null
}

export interface RefusedStep {
  readonly kind: 'refused'
  /** `malformed`: not a message of this mechanism. `unauthorized`: it is, and the answer is no. */
  readonly fault: 'malformed' | 'unauthorized'
  /** For the log. */
  readonly why: string
}

/** What mechanisms need of the connection and the server. */
export interface Surroundings {
  readonly peer: Peer
  /** The server's name, in the challenge of CRAM-MD5. */
  readonly hostname: string
  /** RFC 5056: `null` if this connection has no binding of that type. */
  channelBinding(type: string): Buffer | null
  /** The portal's. */
  scramChallenge(username: string): Promise<ScramChallenge>
  /** Printable ASCII without commas that nobody can guess and that never comes again; fixed in a test. */
  nonce(): string
}

export const challenge = (text: string): Step => ({
  kind: 'challenge',
  challenge: Buffer.from(text),
})

export const malformed = (why: string): RefusedStep => ({
  kind: 'refused',
  fault: 'malformed',
  why,
})

export const unauthorized = (why: string): RefusedStep => ({
  kind: 'refused',
  fault: 'unauthorized',
  why,
})

/** Credentials with which the client expects nothing but a yes or a no. */
export const login = (credentials: NamedCredentials): LoginStep => ({
  kind: 'login',
  credentials,
  proof: () => null,
})
