/**
 * Tries places of ours again. Each recipient is looked up anew: its quota, its server or its aliases
 * may be others by now, and who is gone gets no mailbox made by a late try.
 */
import type { Carrier, Route } from '../courier/courier.js'
import { placeOf, type Target } from '../directory/directory.js'
import { type Address, identity } from '../mail/address.js'
import type { Message } from '../mail/message.js'
import { Refusal, tryLater } from '../mail/refusal.js'
import type { Ending } from './aftermath.js'
import type { Endings, Work } from './endings.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import { derivedId, envelopeFor } from './item-envelope.js'
import type { Queue } from './queue.js'
import type { Job } from './spool.js'

const NO_LONGER = (): Refusal =>
  new Refusal(550, '5.1.1', 'the address no longer leads to where this mail was to go')

export interface LocalParts {
  readonly carrier: Carrier
  /** Takes a message anew for a recipient whose places could not be looked up at first. */
  readonly queue: Queue
}

interface Found {
  readonly at: number
  readonly target: Target
}

export class LocalWork implements Work {
  readonly #parts: LocalParts

  constructor(parts: LocalParts) {
    this.#parts = parts
  }

  async attempt({ item }: Job, recipients: readonly number[], message: Message): Promise<Endings> {
    const endings = new Map<number, Ending>()
    const found: Found[] = []
    const routes = new Map<string, Route>()
    for (const at of recipients) {
      const recipient = item.recipients[at]!
      const next = this.#look(recipient, await this.#route(recipient.to, routes))
      if (next instanceof Refusal) endings.set(at, endingOf(next))
      else if (next === 'anew') endings.set(at, await this.#anew(item, at, message))
      else found.push({ at, target: next })
    }
    for (const [at, ending] of await this.#bring(item, found, message)) endings.set(at, ending)
    return endings
  }

  /** A recipient with many places is looked up once. */
  async #route(to: Address, routes: Map<string, Route>): Promise<Route> {
    const route = routes.get(identity(to)) ?? (await this.#parts.carrier.route(to))
    routes.set(identity(to), route)
    return route
  }

  #look({ to, target }: QueuedRecipient, { targets, refusal }: Route): Target | Refusal | 'anew' {
    if (refusal !== null) return refusal
    const same = targets.find((one) => placeOf(one) === placeOf(target))
    if (same !== undefined) return same
    // It stood for places that nobody could look up (see plan.ts), and has got nothing yet.
    const stoodIn = target.kind === 'mailbox' && identity(target.user) === identity(to)
    if (stoodIn) return 'anew'
    return targets.find((one) => isMoved(target, one)) ?? NO_LONGER()
  }

  /** Taken, the duty is that message's, reports included. */
  async #anew(item: QueueItem, at: number, message: Message): Promise<Ending> {
    const envelope = envelopeFor(item, [item.recipients[at]!])
    const id = derivedId(item.id, 'N', String(at))
    try {
      const [outcome] = await this.#parts.queue.put({ ...envelope, id, answersEach: true }, message)
      if (outcome === undefined) throw new Error('no outcome for a recipient')
      return { ...endingOf(outcome.refusal), arrived: 'handed-on' }
    } catch (error) {
      return endingOf(error instanceof Refusal ? error : tryLater(error))
    }
  }

  async #bring(item: QueueItem, found: readonly Found[], message: Message): Promise<Endings> {
    if (found.length === 0) return new Map()
    const envelope = envelopeFor(
      item,
      found.map(({ at }) => item.recipients[at]!),
    )
    const targets = found.map(({ target }) => target)
    const answers = await this.#parts.carrier.bring(targets, envelope, message)
    const missing = (): Refusal => tryLater(new Error('a place gave no answer'))
    return new Map(
      found.map(({ at }, n) => {
        const answer = answers[n]
        return [at, endingOf(answer === undefined ? missing() : answer)]
      }),
    )
  }
}

/** The mailbox of the same owner is somewhere else now: on another LMTP server, or here again. */
function isMoved(from: Target, to: Target): boolean {
  const owner = ownerOf(from)
  return owner !== null && owner === ownerOf(to)
}

function ownerOf(target: Target): string | null {
  if (target.kind === 'mailbox') return identity(target.user)
  return target.kind === 'lmtp' ? identity(target.to) : null
}

function endingOf(refusal: Refusal | null): Ending {
  return { refusal, arrived: 'delivered', by: null, said: null }
}
