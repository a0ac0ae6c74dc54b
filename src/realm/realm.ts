/** Who gets what: an id and an aspect in, the avatar out. */
import { ANONYMOUS, type AvatarId } from '../cred/checker.js'
import { LoginInUse, LoginRefused, LoginUnavailable } from '../cred/errors.js'
import type { Login, Realm } from '../cred/realm.js'
import type { Directory } from '../directory/directory.js'
import { type Filter, FilterChain } from '../filter/filter.js'
import type { Lease, Locks } from '../locks/locks.js'
import { identity, parseAddress, type Address } from '../mail/address.js'
import type { Avatars } from '../mail/avatars.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Sender } from '../mail/sender.js'
import type { Queue } from '../queue/queue.js'
import type { Store } from '../store/store.js'
import { LeasedMailbox } from './leased.js'
import { Member, type SubmissionRules } from './member.js'
import { Stranger } from './stranger.js'

export interface RealmParts {
  readonly directory: Directory
  readonly store: Store
  readonly queue: Queue
  readonly locks: Locks
  /** What looks at mail before it is taken; nothing if not given. */
  readonly filter?: Filter
  /** True if mail for other domains can leave from here; without it none can. */
  readonly relays?: () => boolean
  /** For mail from own users; by default they may use their own addresses only. */
  readonly rules?: SubmissionRules
  /** Milliseconds of silence after which a session loses its mailbox to a newer login; without it none does. */
  readonly takeoverMs?: () => number
}

const NO_FILTER = new FilterChain([])
const OWN_ADDRESSES: SubmissionRules = { anySender: () => false, hostname: 'localhost' }

type Aspects = {
  readonly [A in keyof Avatars]: (id: AvatarId) => Promise<Login<Avatars[A]>>
}

export class MailRealm implements Realm<Avatars> {
  readonly #parts: RealmParts
  /** Strangers are all alike: one is enough. */
  readonly #stranger: Stranger
  readonly #aspects: Aspects = {
    mailbox: (id) => this.#mailbox(id),
    sender: (id) => this.#sender(id),
  }

  constructor(parts: RealmParts) {
    this.#parts = parts
    this.#stranger = new Stranger({ ...parts, filter: parts.filter ?? NO_FILTER })
  }

  requestAvatar<A extends keyof Avatars>(id: AvatarId, aspect: A): Promise<Login<Avatars[A]>> {
    return this.#aspects[aspect](id)
  }

  async #sender(id: AvatarId): Promise<Login<Sender>> {
    const logout = async (): Promise<void> => {}
    if (id === ANONYMOUS) return { id, avatar: this.#stranger, logout }
    return { id, avatar: await this.#member(id), logout }
  }

  async #member(id: AvatarId): Promise<Sender> {
    const user = parseAddress(id)
    if (user === null || !(await this.#owns(user))) throw new LoginRefused()
    const { rules = OWN_ADDRESSES, filter = NO_FILTER } = this.#parts
    return new Member(user, { ...this.#parts, rules, filter })
  }

  async #mailbox(id: AvatarId): Promise<Login<Mailbox>> {
    const user = parseAddress(id)
    // A checker may know more people than have a mailbox here.
    if (user === null || !(await this.#owns(user))) throw new LoginRefused()
    const lease = await this.#lock(user)
    try {
      const mailbox = await this.#open(user)
      return {
        id,
        avatar: new LeasedMailbox(mailbox, lease),
        logout: () => lease.release(),
        touch: () => lease.touch(),
        onRevoked: (callback) => lease.onLost(callback),
      }
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  #owns(user: Address): Promise<boolean> {
    return orUnavailable(this.#parts.directory.owns(user.domain))
  }

  async #lock(user: Address): Promise<Lease> {
    const { locks, takeoverMs } = this.#parts
    const name = `mailbox:${identity(user)}`
    const lease = await orUnavailable(locks.tryAcquire(name, takeoverMs?.()))
    if (lease === null) throw new LoginInUse('the mailbox is in use by another session')
    return lease
  }

  #open(user: Address): Promise<Mailbox> {
    return orUnavailable(this.#parts.store.open(user))
  }
}

/** Whatever goes wrong behind a good password means "later". */
async function orUnavailable<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    throw new LoginUnavailable('the mailbox cannot be opened now', { cause: error })
  }
}
