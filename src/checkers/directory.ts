/**
 * The checker `directory`: the accounts of the server's own domains. Whoever
 * is not there, is disabled or has no password gets the same "no" after the
 * same time as a wrong password.
 */
import type { AvatarId, Checker, ScramAnswer } from '../cred/checker.js'
import type {
  Credentials,
  NamedCredentials,
  PasswordCredentials,
  ScramCredentials,
  SecretCredentials,
} from '../cred/credentials.js'
import { preparedPassword } from '../cred/saslprep.js'
import { clearSecret, type Directory, storedScram, type User } from '../directory/directory.js'
import { formatAddress, identity } from '../mail/address.js'
import { networkOf } from '../net/ip.js'
import { appPasswordOf } from './app-passwords.js'
import { newLogin } from './new-login.js'
import { burn, isOutdated, isPassword, sameText, verifyPassword } from './passwords.js'
import { RecentLogins } from './recent-logins.js'
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
  readonly #recent = new RecentLogins()

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

  async #byPassword(credentials: PasswordCredentials): Promise<AvatarId | null> {
    const { username, password, peer } = credentials
    // Nobody's password, whoever the user is: not worth a slot.
    if (!isPassword(password)) return null
    const user = await this.#user(username)
    const id = user === null ? null : formatAddress(user.address)
    const stored = passwordFor(user, credentials)
    if (id !== null && this.#isCheap(id, stored, password)) return id
    if (user !== null && (await this.#byAppPassword(user, credentials))) return id
    const good = await this.#slots.run(
      async () => (stored === null ? burnt(password) : this.#check(user!, stored, password)),
      networkOf(peer.address, ONE_PLACE) ?? peer.address,
    )
    return good ? id : null
  }

  /** What costs nothing worth a slot: the right password in clear, or one that was right a moment ago. */
  #isCheap(id: AvatarId, stored: string | null, password: string): boolean {
    if (stored === null) return false
    const secret = clearSecret(stored)
    if (secret !== null) return sameText(secret, password)
    return this.#recent.has(id, stored, password)
  }

  async #byAppPassword(user: User, { password, peer }: PasswordCredentials): Promise<boolean> {
    const app = await appPasswordOf(user, password, peer.protocol)
    if (app === null) return false
    await this.#directory.noteUse?.(user.address, app.name)
    return true
  }

  async #check(user: User, stored: string, password: string): Promise<boolean> {
    if (!(await verifyPassword(stored, password))) return false
    this.#recent.note(formatAddress(user.address), stored, password)
    if (isOutdated(stored)) {
      await this.#directory.improve?.(user.address, stored, () => newLogin(password))
    }
    return true
  }

  async #bySecret(credentials: SecretCredentials): Promise<AvatarId | null> {
    const user = await this.#user(credentials.username)
    const stored = passwordFor(user, credentials)
    const secret = stored === null ? null : clearSecret(stored)
    const good = credentials.verify(preparedPassword(secret ?? NO_SECRET))
    return good && secret !== null && user !== null ? formatAddress(user.address) : null
  }

  async #byScram(credentials: ScramCredentials): Promise<AvatarId | null> {
    const { username } = credentials
    const user = await this.#user(username)
    const keys = await this.#scram.keys(this.#name(username), accountOf(user))
    const good = credentials.verify(keys) && passwordFor(user, credentials) !== null
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

/** The stored password, if there is one and it opens the protocol that asks. */
function passwordFor(user: User | null, { peer }: NamedCredentials): string | null {
  const allowed = user?.passwordProtocols?.includes(peer.protocol) ?? true
  return allowed ? (user?.password ?? null) : null
}

function accountOf(user: User | null): ScramAccount | null {
  const stored = user?.password ?? null
  if (user === null || stored === null) return null
  return { secret: clearSecret(stored), record: user.scram ?? storedScram(stored) }
}

async function burnt(password: string): Promise<false> {
  await burn(password)
  return false
}
