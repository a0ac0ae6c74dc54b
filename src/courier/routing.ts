/** Finds out where mail for each recipient goes, and hands it to the courier for that kind of place. */
import { placeOf, type Directory, type Target } from '../directory/directory.js'
import { formatAddress, type Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { misconfigured, noSuchUser, type Refusal } from '../mail/refusal.js'
import type { Courier, TargetCourier } from './courier.js'
import { asRefusal, each } from './each.js'

/** By kind of target. What there is no courier for waits at the sender: 451 4.3.5. */
export type Couriers = {
  readonly [K in Target['kind']]?: TargetCourier<Extract<Target, { kind: K }>>
}

/** A recipient and the places behind it, or why there are none. */
interface Route {
  readonly to: Address
  readonly targets: readonly Target[]
  readonly refusal: Refusal | null
}

type Answers = ReadonlyMap<string, Refusal | null>

export class RoutingCourier implements Courier {
  readonly #directory: Directory
  readonly #couriers: Couriers

  constructor(directory: Directory, couriers: Couriers) {
    this.#directory = directory
    this.#couriers = couriers
  }

  /** A place gets one copy, however many recipients lead to it. */
  async deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const routes = await each(envelope.to, (to) => this.#route(to))
    const answers = new Map<string, Refusal | null>()
    const kinds = [...byKind(routes.flatMap(({ targets }) => targets))]
    await Promise.all(
      kinds.map(async ([kind, targets]) => {
        const told = await this.#deliver(kind, targets, envelope, message)
        targets.forEach((target, at) => answers.set(placeOf(target), told[at]!))
      }),
    )
    return routes.map((route) => outcome(route, answers))
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

  async #deliver(
    kind: Target['kind'],
    targets: readonly Target[],
    envelope: Envelope,
    message: Message,
  ): Promise<readonly (Refusal | null)[]> {
    // The key of the table says of which kind they are.
    const courier: TargetCourier | undefined = this.#couriers[kind]
    if (courier === undefined) return targets.map((target) => nobodyFor(target))
    try {
      return await courier.deliver(targets, envelope, message)
    } catch (error) {
      return targets.map(() => asRefusal(error))
    }
  }
}

/** Targets by kind, each place once. */
function byKind(targets: readonly Target[]): Map<Target['kind'], Target[]> {
  const seen = new Set<string>()
  const kinds = new Map<Target['kind'], Target[]>()
  for (const target of targets) {
    if (seen.has(placeOf(target))) continue
    seen.add(placeOf(target))
    kinds.set(target.kind, [...(kinds.get(target.kind) ?? []), target])
  }
  return kinds
}

/** A recipient has the message only if all places behind it have. */
function outcome({ to, targets, refusal }: Route, answers: Answers): Outcome {
  const told = targets.map((target) => answers.get(placeOf(target)) ?? null)
  return { to, refusal: refusal ?? worst(told) }
}

/** Where one place may work later, the recipient as a whole must be tried again. */
function worst(refusals: readonly (Refusal | null)[]): Refusal | null {
  const real = refusals.filter((refusal) => refusal !== null)
  return real.find((refusal) => refusal.temporary) ?? real[0] ?? null
}

function nobodyFor(target: Target): Refusal {
  const what =
    target.kind === 'remote'
      ? `${formatAddress(target.address)} (from ${formatAddress(target.of)}) is elsewhere, and this server does not relay`
      : `nothing here delivers to a ${target.kind}`
  return misconfigured(new Error(what))
}
