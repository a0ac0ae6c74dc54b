/**
 * A checker that hands name and password to somebody else: the names are ours, the yes or no is
 * his. Only addresses of our own domains are asked about.
 */
import type { AvatarId } from '../cred/checker.js'
import type { Credentials, Kind, PasswordCredentials, Peer } from '../cred/credentials.js'
import type { Directory, KnownUser, KnownUsers } from '../directory/directory.js'
import { type Address, foldLocal, formatAddress } from '../mail/address.js'
import type { UserChecker } from './checker-type.js'
import type { Guard } from './guard.js'
import { isPassword } from './passwords.js'

/** What a back end is asked. */
export interface Question {
  /** Canonical, of one of our domains. */
  readonly address: Address
  readonly password: string
  readonly peer: Peer
  /** Nobody waits any more. */
  readonly signal: AbortSignal
}

/** As KnownUsers, of a back end that one may stop waiting for. */
export interface AskedUsers {
  find(address: Address, signal: AbortSignal): Promise<KnownUser | null>
}

export interface BackEnd {
  /** True: that is the password. Throws when it cannot tell. */
  verify(question: Question): Promise<boolean>
  /** Absent: only whoever is in the directory has an account. */
  readonly users?: AskedUsers
  close?(): Promise<void>
}

export class BackEndChecker implements UserChecker {
  readonly kinds: readonly Kind[] = ['password']
  readonly users?: KnownUsers
  readonly #backEnd: BackEnd
  readonly #directory: Directory
  readonly #guard: Guard

  constructor(backEnd: BackEnd, directory: Directory, guard: Guard) {
    this.#backEnd = backEnd
    this.#directory = directory
    this.#guard = guard
    const { users } = backEnd
    if (users !== undefined) {
      this.users = { find: (address) => guard.run((signal) => users.find(address, signal)) }
    }
  }

  async requestAvatarId(credentials: Credentials): Promise<AvatarId | null> {
    if (credentials.kind !== 'password' || !isPassword(credentials.password)) return null
    const address = await ownAddress(this.#directory, credentials.username)
    if (address === null || !(await this.#verify(address, credentials))) return null
    return admitted(this.#directory, address, this.#backEnd.users !== undefined)
  }

  async close(): Promise<void> {
    await this.#backEnd.close?.()
  }

  #verify(address: Address, { password, peer }: PasswordCredentials): Promise<boolean> {
    const ask = (signal: AbortSignal): Promise<boolean> =>
      this.#backEnd.verify({ address, password, peer, signal })
    return this.#guard.run(ask, peer.address)
  }
}

/** The address that a login name means; `null` unless it is one of ours. @throws when that cannot be told */
export async function ownAddress(directory: Directory, username: string): Promise<Address | null> {
  const said = directory.qualify(username)
  if (said === null || !(await directory.owns(said.domain))) return null
  return { local: foldLocal(said.local), domain: said.domain }
}

/**
 * Whoever has shown who he is may still be switched off here.
 * @param known true if the checker itself knows its users; otherwise the directory must
 * @throws when that cannot be told
 */
export async function admitted(
  directory: Directory,
  address: Address,
  known: boolean,
): Promise<AvatarId | null> {
  const user = await directory.user(address)
  if (user === null) return known ? formatAddress(address) : null
  return user.disabled ? null : formatAddress(user.address)
}
