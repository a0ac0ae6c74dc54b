/** A checker whose accounts are given in code, in clear: for tests. */
import { randomBytes } from 'node:crypto'
import type { AvatarId, Checker, ScramAnswer } from '../cred/checker.js'
import type { Credentials, NamedCredentials } from '../cred/credentials.js'
import { preparedPassword } from '../cred/saslprep.js'
import { foldLocal, formatAddress, parseAddress } from '../mail/address.js'
import { isPassword, sameText } from './passwords.js'
import { type ScramAccount, ScramBook } from './scram.js'
import { Slots } from './slots.js'

type WithPassword = Exclude<NamedCredentials, { kind: 'bearer' }>

/** Stands in for the password of an account that is not there. */
const NOBODY = '(nobody)'

export class MemoryChecker implements Checker {
  readonly kinds = ['password', 'secret', 'scram'] as const
  readonly #scram = new ScramBook(randomBytes(32), new Slots())
  /** Passwords by id. */
  readonly #passwords: ReadonlyMap<AvatarId, string>

  /** @param accounts passwords by address @throws Error on what is no address */
  constructor(accounts: Readonly<Record<string, string>>) {
    this.#passwords = new Map(
      Object.entries(accounts).map(([address, password]) => {
        const id = idOf(address)
        if (id === null) throw new Error(`${JSON.stringify(address)} is not an address`)
        return [id, password]
      }),
    )
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    if (credentials.kind === 'anonymous' || credentials.kind === 'bearer') return null
    const id = idOf(credentials.username)
    const password = id === null ? undefined : this.#passwords.get(id)
    const good = await this.#matches(credentials, password ?? NOBODY)
    return good && password !== undefined ? id : null
  }

  async scramChallenge(username: string): Promise<ScramAnswer> {
    return this.#scram.challenge(idOf(username) ?? username, this.#account(username))
  }

  async #matches(credentials: WithPassword, secret: string): Promise<boolean> {
    const { kind, username } = credentials
    if (kind === 'secret') return credentials.verify(preparedPassword(secret))
    if (kind === 'password') {
      return isPassword(credentials.password) && sameText(credentials.password, secret)
    }
    const name = idOf(username) ?? username
    return credentials.verify(await this.#scram.keys(name, this.#account(username)))
  }

  #account(username: string): ScramAccount | null {
    const id = idOf(username)
    const secret = id === null ? undefined : this.#passwords.get(id)
    return secret === undefined ? null : { secret, record: null }
  }
}

function idOf(username: string): AvatarId | null {
  const address = parseAddress(username)
  return address && formatAddress({ local: foldLocal(address.local), domain: address.domain })
}
