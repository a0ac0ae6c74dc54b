/** PLAIN (RFC 4616): whom to act as, a name and a password in one message, NUL between them. */
import {
  challenge,
  login,
  malformed,
  type Mechanism,
  type Step,
  type Surroundings,
  unauthorized,
} from './mechanism.js'
import { clientText, MAX_NAME, MAX_PASSWORD } from './text.js'

const NUL = 0

export class Plain implements Mechanism {
  readonly #surroundings: Surroundings

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  start(initial: Buffer | null): Step {
    return initial === null ? challenge('') : this.next(initial)
  }

  next(message: Buffer): Step {
    const parts = parsePlain(message)
    if (parts === null) return malformed('not a message of PLAIN')
    const { authorizeAs, username, password } = parts
    // Nobody acts for somebody else here; naming oneself twice is what some clients do.
    if (authorizeAs !== null && authorizeAs !== username) {
      return unauthorized('asked to act as somebody else')
    }
    return login({ kind: 'password', peer: this.#surroundings.peer, username, password })
  }
}

/** @returns `null` unless there are exactly two NULs, and between them what may be a name and a password */
export function parsePlain(
  message: Buffer,
): { authorizeAs: string | null; username: string; password: string } | null {
  const first = message.indexOf(NUL)
  const second = message.indexOf(NUL, first + 1)
  if (first === -1 || second === -1 || message.includes(NUL, second + 1)) return null
  const authorizeAs = first === 0 ? null : clientText(message.subarray(0, first), MAX_NAME)
  const username = clientText(message.subarray(first + 1, second), MAX_NAME)
  const password = clientText(message.subarray(second + 1), MAX_PASSWORD)
  if ((first > 0 && authorizeAs === null) || username === null || password === null) return null
  return { authorizeAs, username, password }
}
