/**
 * The checker `directory`: the accounts of the server's own domains. Whoever
 * is not there, is disabled or has no password gets the same "no" after the
 * same time as a wrong password.
 */
import type { AvatarId, Checker, ScramAnswer } from '../cred/checker.js'
import type {
  Credentials,
  PasswordCredentials,
  ScramCredentials,
  SecretCredentials,
} from '../cred/credentials.js'
import { preparedPassword } from '../cred/saslprep.js'
import { clearSecret, type Directory, type User } from '../directory/directory.js'
import { formatAddress, identity } from '../mail/address.js'
import { networkOf } from '../net/ip.js'
import { burn, isPassword, sameText, verifyPassword } from './passwords.js'
import { type ScramAccount, ScramBook } from './scram.js'
import type { Slots } from './slots.js'

/** A client with IPv6 can speak from any address of its /64. */
const ONE_PLACE = { ip4: 32, ip6: 64 }
/** Stands in for the secret of an account that has none. */
const NO_SECRET = '(no secret)'

export class DirectoryChecker implements Checker {
  /** All that an account may store; what is worth offering, the directory tells. */
  readonly kinds = ['password', 'secret', 'scram'] as const
  readonly #directory: Directory
  readonly #slots: Slots
  readonly #scram: ScramBook

  /** @param secret of the server, see ScramBook */
  constructor(directory: Directory, slots: Slots, secret: Buffer) {
    this.#directory = directory
    this.#slots = slots
    this.#scram = new ScramBook(secret, slots)
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    if (credentials.kind === 'password') return this.#byPassword(credentials)
    if (credentials.kind === 'secret') return this.#bySecret(credentials)
    return credentials.kind === 'scram' ? this.#byScram(credentials) : null
  }

  async scramChallenge(username: string): Promise<ScramAnswer> {
    return this.#scram.challenge(this.#name(username), accountOf(await this.#user(username)))
  }

  async #byPassword({ username, password, peer }: PasswordCredentials): Promise<AvatarId | null> {
    // Nobody's password, whoever the user is: not worth a slot.
    if (!isPassword(password)) return null
    const user = await this.#user(username)
    const stored = user?.password ?? null
    const secret = stored === null ? null : clearSecret(stored)
    // The right password of an account that stores it in clear costs nothing worth a slot.
    if (secret !== null && sameText(secret, password)) return formatAddress(user!.address)
    const good = await this.#slots.run(
      async () => {
        if (stored !== null) return verifyPassword(stored, password)
        await burn(password)
        return false
      },
      networkOf(peer.address, ONE_PLACE) ?? peer.address,
    )
    return good && user !== null ? formatAddress(user.address) : null
  }

  async #bySecret(credentials: SecretCredentials): Promise<AvatarId | null> {
    const user = await this.#user(credentials.username)
    const stored = user?.password ?? null
    const secret = stored === null ? null : clearSecret(stored)
    const good = credentials.verify(preparedPassword(secret ?? NO_SECRET))
    return good && secret !== null && user !== null ? formatAddress(user.address) : null
  }

  async #byScram(credentials: ScramCredentials): Promise<AvatarId | null> {
    const { username } = credentials
    const user = await this.#user(username)
    const keys = await this.#scram.keys(this.#name(username), accountOf(user))
    const good = credentials.verify(keys)
    return good && user !== null ? formatAddress(user.address) : null
  }

  /** One form of all the ways to write a login name, whether there is such a user or not. */
  #name(username: string): string {
    const address = this.#directory.qualify(username)
    return address === null ? username : identity(address)
  }

  /** @returns `null` also for a user who may not log in */
  async #user(username: string): Promise<User | null> {
    const address = this.#directory.qualify(username)
    const user = address === null ? null : await this.#directory.user(address)
    return user === null || user.disabled ? null : user
  }
}

function accountOf(user: User | null): ScramAccount | null {
  const stored = user?.password ?? null
  if (user === null || stored === null) return null
  return { secret: clearSecret(stored), record: user.scram }
}
