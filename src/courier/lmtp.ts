/**
 * Hands mail to an LMTP server (RFC 2033): one transaction for all users
 * behind it, an answer for each of them.
 */
import type { LmtpTarget } from '../directory/directory.js'
import { type Log, reason } from '../log/log.js'
import { formatLmtpPlace, type LmtpPlace } from '../mail/lmtp-place.js'
import type { Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { type Refusal, tryLater } from '../mail/refusal.js'
import type { TargetCourier } from './courier.js'
import type { Deadline } from './deadline.js'
import { answerAt, asRefusal, each } from './each.js'
import { Talk } from '../transport/talk.js'
import { LmtpTransaction } from './lmtp-transaction.js'

/** Recipients of one transaction: any server takes so many (RFC 5321 section 4.5.3.1.8). */
const MAX_RECIPIENTS = 100

export interface LmtpOptions {
  /** What we call ourselves. */
  readonly hostname: string
  readonly log: Log
}

interface Batch {
  readonly place: LmtpPlace
  /** Where each of them stands among all targets. */
  readonly members: { readonly at: number; readonly to: Address }[]
}

export class LmtpCourier implements TargetCourier<LmtpTarget> {
  readonly #options: LmtpOptions

  constructor(options: LmtpOptions) {
    this.#options = options
  }

  async deliver(
    targets: readonly LmtpTarget[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<readonly (Refusal | null)[]> {
    const answers: (Refusal | null)[] = targets.map(() => tryLater())
    await each(batches(targets), async ({ place, members }) => {
      const users = members.map(({ to }) => to)
      const told = await this.#hand(place, users, envelope, message, deadline)
      members.forEach(({ at }, member) => (answers[at] = answerAt(told, member)))
    })
    return answers
  }

  async #hand(
    place: LmtpPlace,
    users: readonly Address[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<readonly (Refusal | null)[]> {
    const fields = { id: envelope.id, server: formatLmtpPlace(place), recipients: users.length }
    const transaction = new LmtpTransaction(this.#options.hostname, envelope, message, users)
    try {
      deadline.require()
      const talk = await Talk.open(place)
      await transaction.run(talk)
      this.#options.log.info('lmtp delivered', { ...fields, refused: transaction.refused })
    } catch (error) {
      this.#options.log.warn('lmtp failed', { ...fields, reason: reason(error) })
      return transaction.answers(asRefusal(error))
    }
    return transaction.answers(tryLater())
  }
}

/** Targets by server, so many at once as it takes. */
function batches(targets: readonly LmtpTarget[]): Batch[] {
  const open = new Map<string, Batch>()
  const all: Batch[] = []
  for (const [at, { endpoint, to }] of targets.entries()) {
    const name = formatLmtpPlace(endpoint)
    let batch = open.get(name)
    if (batch === undefined || batch.members.length >= MAX_RECIPIENTS) {
      batch = { place: endpoint, members: [] }
      open.set(name, batch)
      all.push(batch)
    }
    batch.members.push({ at, to })
  }
  return all
}
