/**
 * A checker for accounts that store a password, wherever they are kept: it does all that the checker
 * `directory` does (hashes in turn, equal time for whoever is not there, challenges), since it is one.
 */
import type { AvatarId, ScramAnswer } from '../cred/checker.js'
import type { Credentials } from '../cred/credentials.js'
import type {
  Directory,
  KnownUser,
  KnownUsers,
  Share,
  Target,
  User,
} from '../directory/directory.js'
import { type Address, foldLocal, formatAddress } from '../mail/address.js'
import type { Parts, UserChecker } from './checker-type.js'
import { DirectoryChecker } from './directory.js'

export interface StoredAccount extends KnownUser {
  /** A stored form that passwords.ts knows; `null` = no login. */
  readonly password: string | null
  /** Protocols that the password opens; absent = all. */
  readonly protocols?: readonly string[]
}

/** Where the accounts are. */
export interface Accounts {
  /** @throws when it cannot tell */
  find(address: Address): Promise<StoredAccount | null>
  close?(): Promise<void>
}

export class StoredAccountsChecker implements UserChecker {
  readonly kinds = ['password', 'secret', 'scram'] as const
  readonly users: KnownUsers
  readonly #accounts: Accounts
  readonly #directory: Directory
  readonly #checker: DirectoryChecker

  constructor(accounts: Accounts, { directory, slots, secret }: Parts) {
    this.#accounts = accounts
    this.#directory = directory
    this.users = { find: (address) => accounts.find(address) }
    this.#checker = new DirectoryChecker(new AccountsView(accounts, directory), slots, secret)
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    const id = await this.#checker.requestAvatarId(credentials)
    if (id === null || credentials.kind === 'anonymous') return null
    const address = this.#directory.qualify(credentials.username)
    if (address === null) return null
    const user = await this.#directory.user(address)
    if (user === null) return id
    return user.disabled ? null : formatAddress(user.address)
  }

  scramChallenge(username: string): Promise<ScramAnswer> {
    return this.#checker.scramChallenge(username)
  }

  async close(): Promise<void> {
    await this.#accounts.close?.()
  }
}

/** The accounts as a checker wants to see them. */
class AccountsView implements Directory {
  readonly #accounts: Accounts
  readonly #directory: Directory

  constructor(accounts: Accounts, directory: Directory) {
    this.#accounts = accounts
    this.#directory = directory
  }

  async user({ local, domain }: Address): Promise<User | null> {
    if (!(await this.#directory.owns(domain))) return null
    const address = { local: foldLocal(local), domain }
    const account = await this.#accounts.find(address)
    if (account === null) return null
    const { password, disabled, name, quota, protocols = null } = account
    return { address, password, scram: null, passwordProtocols: protocols, disabled, name, quota }
  }

  qualify(login: string): Address | null {
    return this.#directory.qualify(login)
  }

  owns(domain: string): Promise<boolean> {
    return this.#directory.owns(domain)
  }

  resolve(address: Address): Promise<readonly Target[]> {
    return this.#directory.resolve(address)
  }

  secrets(): Share {
    return 'some'
  }

  scram(): Share {
    return 'some'
  }
}

/** Which domain names without one belong to: the one that was said, or the default domain. */
export function bareDomain(directory: Directory, said: string | null): string | null {
  return said ?? directory.qualify('postmaster')?.domain ?? null
}
