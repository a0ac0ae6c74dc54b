/**
 * The checker `directory`: the accounts of the server's own domains. Whoever
 * is not there, is disabled or has no password gets the same "no" after the
 * same time as a wrong password.
 */
import type { AvatarId, Checker } from '../cred/checker.js'
import type { Credentials, PasswordCredentials, SecretCredentials } from '../cred/credentials.js'
import { clearSecret, type Directory, type User } from '../directory/directory.js'
import { formatAddress } from '../mail/address.js'
import { burn, isPassword, verifyPassword } from './passwords.js'
import type { Slots } from './slots.js'

/** Stands in for the secret of an account that has none. */
const NO_SECRET = '(no secret)'

export class DirectoryChecker implements Checker {
  readonly #directory: Directory
  readonly #slots: Slots

  constructor(directory: Directory, slots: Slots) {
    this.#directory = directory
    this.#slots = slots
  }

  /** Challenges make sense only while somebody stores a secret. */
  get kinds(): Checker['kinds'] {
    return this.#directory.secrets() === 'none' ? ['password'] : ['password', 'secret']
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    if (credentials.kind === 'password') return this.#byPassword(credentials)
    return credentials.kind === 'secret' ? this.#bySecret(credentials) : null
  }

  async #byPassword({ username, password }: PasswordCredentials): Promise<AvatarId | null> {
    // Nobody's password, whoever the user is: not worth a slot.
    if (!isPassword(password)) return null
    const user = await this.#user(username)
    const stored = user?.password ?? null
    const good = await this.#slots.run(async () => {
      if (stored !== null) return verifyPassword(stored, password)
      await burn(password)
      return false
    })
    return good && user !== null ? formatAddress(user.address) : null
  }

  async #bySecret(credentials: SecretCredentials): Promise<AvatarId | null> {
    const user = await this.#user(credentials.username)
    const stored = user?.password ?? null
    const secret = stored === null ? null : clearSecret(stored)
    const good = credentials.verify(secret ?? NO_SECRET)
    return good && secret !== null && user !== null ? formatAddress(user.address) : null
  }

  /** @returns `null` also for a user who may not log in */
  async #user(username: string): Promise<User | null> {
    const address = this.#directory.qualify(username)
    const user = address === null ? null : await this.#directory.user(address)
    return user === null || user.disabled ? null : user
  }
}
