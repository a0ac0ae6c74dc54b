/** Brings mail to mailboxes of this server. */
import type { MailboxTarget } from '../directory/directory.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Refusal } from '../mail/refusal.js'
import type { Store } from '../store/store.js'
import type { TargetCourier } from './courier.js'
import type { Deadline } from './deadline.js'
import { answered, asRefusal } from './each.js'
import { traced, tracedForAll } from './trace.js'

export class LocalCourier implements TargetCourier<MailboxTarget> {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  async deliver(
    targets: readonly MailboxTarget[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<readonly (Refusal | null)[]> {
    const [only, ...others] = targets
    if (only === undefined) return []
    if (others.length > 0) return this.#all(targets, tracedForAll(envelope, message), deadline)
    const { user, quota } = only
    const letter = traced(user, envelope, message)
    return [await answered(deadline, () => this.#store.append(user, letter, quota))]
  }

  async #all(
    targets: readonly MailboxTarget[],
    letter: Message,
    deadline: Deadline,
  ): Promise<readonly (Refusal | null)[]> {
    try {
      deadline.require()
      const failures = await this.#store.appendAll(targets, letter)
      return failures.map((failure) => (failure === null ? null : asRefusal(failure)))
    } catch (error) {
      return targets.map(() => asRefusal(error))
    }
  }
}
