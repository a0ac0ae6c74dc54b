/** One way to prove who we are, on the client's side (RFC 4422 section 5), and the simple ones: PLAIN, LOGIN, XOAUTH2. */
import type { HopLogin } from './hop.js'

/** A new one for each attempt. */
export interface ClientMechanism {
  readonly name: string
  /** Sent without being asked; `null` = the server speaks first. */
  readonly first: Buffer | null
  /** @throws Error when the server does not keep to the mechanism, or proves not to be who it claims */
  answer(challenge: Buffer): Buffer | Promise<Buffer>
  /** The server said yes. @throws Error when it has not proven that it may */
  accepted(): void
}

export type PasswordLogin = Extract<HopLogin, { kind: 'password' }>
type TokenLogin = Extract<HopLogin, { kind: 'token' }>

/** RFC 4616. */
export const plain = ({ user, password }: PasswordLogin): ClientMechanism => ({
  name: 'PLAIN',
  first: Buffer.from(`\0${user}\0${password}`),
  answer: () => unasked('PLAIN'),
  accepted: () => {},
})

/** Never a standard: a name and a password, whatever words the server asks with. */
export function authLogin({ user, password }: PasswordLogin): ClientMechanism {
  const answers = [user, password]
  return {
    name: 'LOGIN',
    first: null,
    answer: () => {
      const next = answers.shift()
      return next === undefined ? unasked('LOGIN') : Buffer.from(next)
    },
    accepted: () => {},
  }
}

/** Google's and Microsoft's: a token that somebody else keeps fresh. */
export const xoauth2 = ({ user, token }: TokenLogin): ClientMechanism => ({
  name: 'XOAUTH2',
  first: Buffer.from(`user=${user}\u0001auth=Bearer ${token}\u0001\u0001`),
  // A "no" comes as a challenge with its reasons; the refusal follows the empty answer.
  answer: () => Buffer.alloc(0),
  accepted: () => {},
})

function unasked(name: string): never {
  throw new Error(`the server asks for more than ${name} has`)
}
