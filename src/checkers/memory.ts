/** A checker whose accounts are given in code, in clear: for tests. */
import type { AvatarId, Checker } from '../cred/checker.js'
import type { Credentials } from '../cred/credentials.js'
import { foldLocal, formatAddress, parseAddress } from '../mail/address.js'
import { isPassword, sameText } from './passwords.js'

/** Stands in for the password of an account that is not there. */
const NOBODY = '(nobody)'

export class MemoryChecker implements Checker {
  readonly kinds = ['password', 'secret'] as const
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
    if (credentials.kind === 'anonymous') return null
    const id = idOf(credentials.username)
    const password = id === null ? undefined : this.#passwords.get(id)
    const good = matches(credentials, password ?? NOBODY)
    return good && password !== undefined ? id : null
  }
}

function matches(
  credentials: Exclude<Credentials, { kind: 'anonymous' }>,
  secret: string,
): boolean {
  if (credentials.kind === 'secret') return credentials.verify(secret)
  return isPassword(credentials.password) && sameText(credentials.password, secret)
}

function idOf(username: string): AvatarId | null {
  const address = parseAddress(username)
  return address && formatAddress({ local: foldLocal(address.local), domain: address.domain })
}
