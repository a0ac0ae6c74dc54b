/** A portal to mailboxes in memory: a real portal, a checker and a realm as small as they can be. */
import type { Checker } from '../../src/cred/checker.js'
import { LoginInUse, LoginRefused } from '../../src/cred/errors.js'
import { Portal } from '../../src/cred/portal.js'
import type { Login, Realm } from '../../src/cred/realm.js'
import type { Avatars } from '../../src/mail/avatars.js'
import { MemoryStore } from './memory-mailbox.js'

interface User {
  readonly password: string
  readonly store: MemoryStore
}

export class MemoryUsers {
  readonly #users = new Map<string, User>()
  /** Whose mailbox a session holds. */
  readonly held = new Set<string>()
  /** The checker cannot tell. */
  broken = false
  /** Set: a login takes until then. */
  slow: Promise<void> | null = null

  add(id: string, password: string): MemoryStore {
    const store = new MemoryStore()
    this.#users.set(id, { password, store })
    return store
  }

  store(id: string): MemoryStore {
    const user = this.#users.get(id)
    if (user === undefined) throw new Error(`no user ${id}`)
    return user.store
  }

  portal(): Portal<Avatars> {
    return new Portal<Avatars>(this.#realm(), [this.#checker()])
  }

  #checker(): Checker {
    return {
      kinds: ['password', 'secret'],
      requestAvatarId: async (credentials) => {
        if (this.slow !== null) await this.slow
        if (this.broken) throw new Error('the user database is away')
        if (credentials.kind === 'anonymous') return null
        const user = this.#users.get(credentials.username)
        if (user === undefined) return null
        const proven =
          credentials.kind === 'secret'
            ? credentials.verify(user.password)
            : credentials.password === user.password
        return proven ? credentials.username : null
      },
    }
  }

  #realm(): Realm<Avatars> {
    return {
      requestAvatar: async <A extends keyof Avatars>(id: string, aspect: A) => {
        if (aspect !== 'mailbox') throw new LoginRefused()
        return this.#hold(id) as Login<Avatars[A]>
      },
    }
  }

  #hold(id: string): Login<Avatars['mailbox']> {
    if (this.held.has(id)) throw new LoginInUse('held')
    this.held.add(id)
    const logout = async () => void this.held.delete(id)
    return { id, avatar: this.store(id).open(), logout }
  }
}
