/** A realm that opens a mailbox only so often for one user (RFC 2449 section 6.5). */
import type { AvatarId } from '../cred/checker.js'
import type { Peer } from '../cred/credentials.js'
import { LoginTooSoon } from '../cred/errors.js'
import type { Login, Realm } from '../cred/realm.js'
import type { Avatars } from '../mail/avatars.js'

/** Users whose last login is remembered; with more, the one who waited longest may come again early. */
const MAX_REMEMBERED = 100_000

export interface PacedOptions {
  /** Seconds between two logins of one user; 0 for no such rule. Asked each time. */
  readonly delay: () => number
  /** Milliseconds of a clock that never goes back; the system's unless a test brings its own. */
  readonly now?: () => number
}

export class PacedRealm implements Realm<Avatars> {
  readonly #realm: Realm<Avatars>
  readonly #delay: () => number
  readonly #now: () => number
  /** When a user got the mailbox, the longest ago first. */
  readonly #last = new Map<AvatarId, number>()

  constructor(realm: Realm<Avatars>, { delay, now = () => performance.now() }: PacedOptions) {
    this.#realm = realm
    this.#delay = delay
    this.#now = now
  }

  /** @throws LoginTooSoon before the mailbox is looked at: that is what the delay is to save */
  async requestAvatar<A extends keyof Avatars>(
    id: AvatarId,
    aspect: A,
    peer: Peer,
  ): Promise<Login<Avatars[A]>> {
    const delay = this.#delay() * 1000
    if (aspect !== 'mailbox' || delay === 0) return this.#realm.requestAvatar(id, aspect, peer)
    const last = this.#last.get(id) ?? -Infinity
    if (this.#now() - last < delay) throw new LoginTooSoon('the last login was just now')
    const login = await this.#realm.requestAvatar(id, aspect, peer)
    this.#remember(id)
    return login
  }

  #remember(id: AvatarId): void {
    this.#last.delete(id)
    const [oldest] = this.#last.keys()
    if (this.#last.size >= MAX_REMEMBERED && oldest !== undefined) this.#last.delete(oldest)
    this.#last.set(id, this.#now())
  }
}
