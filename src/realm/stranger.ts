/**
 * The sender that a client holds which did not say who it is: it reaches the
 * mailboxes of the own domains and nothing else.
 */
import type { Directory, RemoteTarget } from '../directory/directory.js'
import type { Filter, Verdict } from '../filter/filter.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import { type Message, prepend } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { misconfigured, noSuchUser, type Refusal, relayDenied } from '../mail/refusal.js'
import type { Sender } from '../mail/sender.js'
import type { Queue } from '../queue/queue.js'
import type { Store } from '../store/store.js'

export interface StrangerParts {
  readonly directory: Directory
  readonly store: Store
  readonly queue: Queue
  /** What looks at mail from strangers. */
  readonly filter: Filter
}

export class Stranger implements Sender {
  readonly #parts: StrangerParts

  constructor(parts: StrangerParts) {
    this.#parts = parts
  }

  /** A stranger may call himself what he likes; nobody believes him. */
  async checkFrom(): Promise<void> {}

  /** A directory that cannot tell is heard as it is: that is "later", never "no such user". */
  async checkTo(opening: Opening, to: Address): Promise<void> {
    const { directory, store, filter } = this.#parts
    if (!(await directory.owns(to.domain))) throw relayDenied()
    const targets = await directory.resolve(to)
    if (targets.length === 0) throw noSuchUser()
    for (const target of targets) {
      if (target.kind === 'remote') throw forwardMissing(to, target)
      if (target.kind !== 'mailbox' || target.quota === null) continue
      // One full mailbox of several: the message as a whole would have to come again.
      await store.checkQuota(target.user, target.quota, opening.declaredSize)
    }
    await filter.recipient?.(opening, to)
  }

  checkRoom({ declaredSize }: Opening): Promise<void> {
    return this.#parts.store.checkRoom(declaredSize)
  }

  async send(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const { filter, queue } = this.#parts
    const verdict = await filter.message?.(envelope, message)
    return queue.put(envelope, verdict === undefined ? message : marked(message, verdict))
  }
}

/** Without a relay its mail waits at the client. The cause is for the log. */
function forwardMissing(to: Address, { address, of }: RemoteTarget): Refusal {
  const [from, by, where] = [to, of, address].map(formatAddress)
  const what = `${from}: ${by} forwards to ${where}, which is elsewhere; relaying is not supported yet`
  return misconfigured(new Error(what))
}

/** The lines go in front: a header that is signed already stays as it is. */
function marked(message: Message, { headers, junk }: Verdict): Message {
  const lines = junk ? [...headers, 'X-Spam-Flag: YES'] : headers
  if (lines.length === 0) return message
  return prepend(Buffer.from(lines.map((line) => `${line}\n`).join('')), message)
}
