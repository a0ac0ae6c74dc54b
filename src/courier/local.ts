/** Brings mail to mailboxes of this server. */
import type { MailboxTarget } from '../directory/directory.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Refusal } from '../mail/refusal.js'
import type { Store } from '../store/store.js'
import type { TargetCourier } from './courier.js'
import type { Deadline } from './deadline.js'
import { answered, each } from './each.js'
import { traced } from './trace.js'

export class LocalCourier implements TargetCourier<MailboxTarget> {
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
  }

  deliver(
    targets: readonly MailboxTarget[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<(Refusal | null)[]> {
    return each(targets, (target) =>
      answered(deadline, () => this.#append(target, envelope, message)),
    )
  }

  async #append({ user, quota }: MailboxTarget, ...mail: [Envelope, Message]): Promise<void> {
    await this.#store.append(user, traced(user, ...mail), quota)
  }
}
