/**
 * What logins write into a user database: a better stored form in the place of an outdated one, and
 * the day on which an app password was used. Neither may ever hinder a login.
 */
import { type Address, formatAddress, identity } from '../mail/address.js'
import { reason, type Log } from '../log/log.js'
import { dayOf } from './app-password.js'
import type { StoredLogin } from './directory.js'
import { parseUserFile, withPassword } from './user-file.js'
import type { Users } from './users.js'

/** Of users and app passwords: what was done for them lately is not tried at each login. */
const MAX_REMEMBERED = 10_000

export class Upkeep {
  readonly #log: Log
  /** By identity and app password: the day that was taken down. */
  readonly #noted = new Map<string, string>()
  /** Identities for whom nothing could be written: one line in the log is enough. */
  readonly #failed = new Set<string>()

  constructor(log: Log) {
    this.#log = log
  }

  /** See `Directory.improve`. */
  async improve(
    users: Users,
    user: Address,
    was: string,
    make: () => Promise<StoredLogin>,
  ): Promise<void> {
    const id = identity(user)
    if (this.#failed.has(id)) return
    try {
      const { stored, scram } = await make()
      const changed = await users.edit(user.local, (text, path) => {
        const file = parseUserFile(text, path)
        if (file.password !== was) return null
        return withPassword(text, stored, path, file.scram ?? scram)
      })
      if (changed) this.#log.info('password rehashed', { user: formatAddress(user) })
    } catch (error) {
      this.#complain('password not rehashed', user, error)
      if (this.#failed.size >= MAX_REMEMBERED) this.#failed.clear()
      this.#failed.add(id)
    }
  }

  /** See `Directory.noteUse`. @param ms since 1970 */
  async noteUse(users: Users, user: Address, name: string, ms = Date.now()): Promise<void> {
    const key = `${identity(user)} ${name}`
    const day = dayOf(ms)
    if (this.#noted.get(key) === day) return
    if (this.#noted.size >= MAX_REMEMBERED) this.#noted.clear()
    // Before it is written: a folder that takes nothing is tried once a day, too.
    this.#noted.set(key, day)
    try {
      await users.noteUse(user.local, name, day)
    } catch (error) {
      this.#complain('app password use not noted', user, error)
    }
  }

  #complain(event: string, user: Address, error: unknown): void {
    this.#log.warn(event, { user: formatAddress(user), reason: reason(error) })
  }
}
