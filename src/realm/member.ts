/**
 * The sender that a user holds after a login: it speaks for the user's own
 * addresses, and for no others.
 */
import type { Directory } from '../directory/directory.js'
import type { Filter } from '../filter/filter.js'
import { type Address, formatAddress, identity } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { noSuchUser, notYourAddress, relayMissing } from '../mail/refusal.js'
import type { Sender } from '../mail/sender.js'
import { completed } from '../mail/submitted.js'
import type { Queue } from '../queue/queue.js'
import type { Store } from '../store/store.js'

/** What holds for all users who send; asked each time, a reload changes it. */
export interface SubmissionRules {
  /** Whoever has logged in may send as anybody. */
  anySender(): boolean
  /** For the Message-ID of those that come without. */
  readonly hostname: string
}

export interface MemberParts {
  readonly directory: Directory
  readonly store: Store
  readonly queue: Queue
  readonly rules: SubmissionRules
  /** What looks at mail from own users. */
  readonly filter: Filter
}

export class Member implements Sender {
  readonly #user: Address
  readonly #parts: MemberParts

  constructor(user: Address, parts: MemberParts) {
    this.#user = user
    this.#parts = parts
  }

  /** The null path is everybody's: reports of reading (RFC 8098) are sent with it. */
  async checkFrom({ from }: Opening): Promise<void> {
    if (from === null || this.#parts.rules.anySender() || (await this.#owns(from))) return
    throw notYourAddress(formatAddress(this.#user))
  }

  async checkTo(opening: Opening, to: Address): Promise<void> {
    const { directory, store } = this.#parts
    if (!(await directory.owns(to.domain))) throw relayMissing()
    const targets = await directory.resolve(to)
    if (targets.length === 0) throw noSuchUser()
    for (const target of targets) {
      if (target.kind !== 'mailbox' || target.quota === null) continue
      await store.checkQuota(target.user, target.quota, opening.declaredSize)
    }
  }

  checkRoom({ declaredSize }: Opening): Promise<void> {
    return this.#parts.store.checkRoom(declaredSize)
  }

  async send(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const { queue, rules, filter } = this.#parts
    await filter.message?.(envelope, message)
    const { hostname } = rules
    return queue.put(
      envelope,
      await completed(message, { id: envelope.id, hostname, now: new Date() }),
    )
  }

  /** True if mail for that address reaches this user: an alias is his, too. */
  async #owns(address: Address): Promise<boolean> {
    const user = identity(this.#user)
    if (identity(address) === user) return true
    const { directory } = this.#parts
    if (!(await directory.owns(address.domain))) return false
    const targets = await directory.resolve(address)
    return targets.some((target) => target.kind === 'mailbox' && identity(target.user) === user)
  }
}
