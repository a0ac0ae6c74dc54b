/** Brings mail to mailboxes of this server. */
import type { Directory, Target } from '../directory/directory.js'
import { formatAddress, identity, type Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { prepend, type Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { Refusal, noSuchUser, tryLater } from '../mail/refusal.js'
import type { Store } from '../store/store.js'
import type { Courier } from './courier.js'

/** Mailboxes of one message that are written at once. */
const MAX_PARALLEL = 8

/** A recipient and the mailboxes behind it, or why there are none. */
interface Route {
  readonly to: Address
  readonly targets: readonly Target[]
  readonly refusal: Refusal | null
}

export class LocalCourier implements Courier {
  readonly #directory: Directory
  readonly #store: Store

  constructor(directory: Directory, store: Store) {
    this.#directory = directory
    this.#store = store
  }

  /** A mailbox gets one copy, however many recipients lead to it. */
  async deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const routes = await atMost(MAX_PARALLEL, envelope.to, (to) => this.#route(to))
    const targets = new Map(
      routes.flatMap((route) => route.targets.map((each) => [identity(each.user), each] as const)),
    )
    const refusals = new Map<string, Refusal | null>()
    await atMost(MAX_PARALLEL, [...targets], async ([id, target]) => {
      refusals.set(id, await this.#append(target, envelope, message))
    })
    return routes.map((route) => outcome(route, refusals))
  }

  async #route(to: Address): Promise<Route> {
    try {
      const targets = await this.#directory.resolve(to)
      // It was there at RCPT: removed since.
      if (targets.length === 0) return { to, targets: [], refusal: noSuchUser() }
      return { to, targets, refusal: null }
    } catch (error) {
      return { to, targets: [], refusal: asRefusal(error) }
    }
  }

  async #append(target: Target, envelope: Envelope, message: Message): Promise<Refusal | null> {
    const { user, quota } = target
    try {
      await this.#store.append(user, prepend(traceFor(user, envelope), message), quota)
      return null
    } catch (error) {
      return asRefusal(error)
    }
  }
}

/** Return-Path at final delivery (RFC 5321 section 4.4), Delivered-To (RFC 9228). */
function traceFor(user: Address, { from }: Envelope): Buffer {
  const path = from === null ? '' : formatAddress(from)
  return Buffer.from(`Return-Path: <${path}>\nDelivered-To: ${formatAddress(user)}\n`)
}

/** A recipient has the message only if all mailboxes behind it have. */
function outcome(route: Route, refusals: ReadonlyMap<string, Refusal | null>): Outcome {
  const failed = route.targets.map(({ user }) => refusals.get(identity(user)) ?? null)
  return { to: route.to, refusal: route.refusal ?? worst(failed) }
}

/** Where one mailbox may work later, the recipient as a whole must be tried again. */
function worst(refusals: readonly (Refusal | null)[]): Refusal | null {
  const real = refusals.filter((refusal) => refusal !== null)
  return real.find((refusal) => refusal.temporary) ?? real[0] ?? null
}

function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : tryLater(error)
}

/** Does the work for every item, some at once; the results come in the items' order. */
async function atMost<T, R>(
  limit: number,
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<R[]> {
  // Most messages have one recipient.
  if (items.length === 1) return [await work(items[0]!)]
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, worker))
  return results
}
