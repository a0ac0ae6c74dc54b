/**
 * LOGIN: a name and a password, asked for one by one. Never a standard
 * (draft-murchison-sasl-login describes it), and all that some old mail programs know.
 */
import {
  challenge,
  login,
  malformed,
  type Mechanism,
  type Step,
  type Surroundings,
} from './mechanism.js'
import { clientText, MAX_NAME, MAX_PASSWORD } from './text.js'

export class AuthLogin implements Mechanism {
  readonly #surroundings: Surroundings
  #username: string | null = null

  constructor(surroundings: Surroundings) {
    this.#surroundings = surroundings
  }

  /** Clients that send an initial response mean the name by it. */
  start(initial: Buffer | null): Step {
    // Clients look for these very words.
    return initial === null ? challenge('Username:') : this.next(initial)
  }

  next(response: Buffer): Step {
    const username = this.#username
    if (username === null) return this.#name(response)
    const password = clientText(response, MAX_PASSWORD)
    if (password === null) return malformed('that can be no password')
    return login({ kind: 'password', peer: this.#surroundings.peer, username, password })
  }

  #name(response: Buffer): Step {
    this.#username = clientText(response, MAX_NAME)
    return this.#username === null ? malformed('that can be no name') : challenge('Password:')
  }
}
