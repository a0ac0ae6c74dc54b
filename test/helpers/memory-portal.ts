/** A portal to mailboxes in memory: a real portal, a checker and a realm as small as they can be. */
import type { Checker } from '../../src/cred/checker.js'
import type { NamedCredentials } from '../../src/cred/credentials.js'
import { LoginInUse, LoginRefused, LoginTooSoon } from '../../src/cred/errors.js'
import { Portal } from '../../src/cred/portal.js'
import type { Login, Realm } from '../../src/cred/realm.js'
import { deriveScram, type ScramChallenge } from '../../src/cred/scram.js'
import type { Avatars } from '../../src/mail/avatars.js'
import { MemoryStore } from './memory-mailbox.js'
import { smallThrottle } from './small-throttle.js'

/** Of RFC 7677 section 3, for everybody. */
const CHALLENGE: ScramChallenge = {
  salt: Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'),
  iterations: 4096,
}

interface User {
  readonly password: string
  readonly store: MemoryStore
}

export class MemoryUsers {
  readonly #users = new Map<string, User>()
  /** Whose mailbox a session holds. */
  readonly held = new Set<string>()
  /** Who has logged in too short a time ago. */
  readonly hasty = new Set<string>()
  /** Failed logins from one address that are put up with; 0: any number. */
  failures = 0
  /** The checker cannot tell. */
  broken = false
  /** Why not: the code of a system error. */
  trouble: string | null = null
  /** Set: a login takes until then. */
  slow: Promise<void> | null = null

  readonly #sessions = new Map<string, () => void>()

  /** Somebody else has the mailbox now. */
  takeOver(id: string): void {
    this.#sessions.get(id)?.()
  }

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
    return new Portal<Avatars>(this.#realm(), [this.#checker()], smallThrottle(this.failures))
  }

  #checker(): Checker {
    return {
      kinds: ['password', 'secret', 'scram'],
      scramChallenge: async (username) => {
        this.#check()
        return { ...CHALLENGE, known: this.#users.has(username) }
      },
      requestAvatarId: async (credentials) => {
        if (this.slow !== null) await this.slow
        this.#check()
        if (credentials.kind === 'anonymous') return null
        const user = this.#users.get(credentials.username)
        if (user === undefined) return null
        return (await proven(credentials, user.password)) ? credentials.username : null
      },
    }
  }

  #check(): void {
    if (!this.broken) return
    const error = new Error('the user database is away')
    throw this.trouble === null ? error : Object.assign(error, { code: this.trouble })
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
    if (this.hasty.has(id)) throw new LoginTooSoon('hasty')
    if (this.held.has(id)) throw new LoginInUse('held')
    this.held.add(id)
    const logout = async () => void this.held.delete(id)
    const onRevoked = (callback: () => void) => void this.#sessions.set(id, callback)
    return { id, avatar: this.store(id).open(), logout, onRevoked }
  }
}

async function proven(credentials: NamedCredentials, password: string): Promise<boolean> {
  if (credentials.kind === 'password') return credentials.password === password
  if (credentials.kind === 'secret') return credentials.verify(password)
  if (credentials.kind === 'bearer') return false
  return credentials.verify(await deriveScram(password, CHALLENGE))
}
