/** Finds out where mail for each recipient goes, and hands it to the courier for that kind of place. */
import { placeOf, type Directory, type Target } from '../directory/directory.js'
import { type Log, reason, silent } from '../log/log.js'
import { formatAddress, type Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { misconfigured, noSuchUser, type Refusal, tryLater } from '../mail/refusal.js'
import type { Attempt, Carrier, Courier, Place, Route, TargetCourier } from './courier.js'
import { Deadline } from './deadline.js'
import { answerAt, asRefusal, each, unanswered } from './each.js'

/** By kind of target. What there is no courier for waits at the sender: 451 4.3.5. */
export type Couriers = {
  readonly [K in Target['kind']]?: TargetCourier<Extract<Target, { kind: K }>>
}

/** A place that has not got the message, and why. */
interface Failure {
  readonly target: Target
  readonly refusal: Refusal
}

/** By place. */
type Answers = ReadonlyMap<string, Refusal | null>

export class RoutingCourier implements Courier, Carrier {
  readonly #directory: Directory
  readonly #couriers: Couriers
  readonly #log: Log

  /** @param log is told of recipients that cannot ever get their mail everywhere */
  constructor(directory: Directory, couriers: Couriers, log: Log = silent) {
    this.#directory = directory
    this.#couriers = couriers
    this.#log = log
  }

  /** A place gets one copy, however many recipients lead to it. */
  async deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const attempts = await this.attempt(envelope, message, () => true)
    return attempts.map((attempt) => this.#outcome(attempt, envelope))
  }

  async attempt(
    envelope: Envelope,
    message: Message,
    now: (target: Target) => boolean,
  ): Promise<readonly Attempt[]> {
    const deadline = new Deadline()
    const routes = await each(envelope.to, (to) => this.route(to))
    const targets = routes.flatMap((route) => route.targets).filter(now)
    const answers = await this.#bring(targets, deadline, envelope, message)
    return routes.map(({ to, targets: behind, refusal }) => ({
      to,
      places: behind.map((target) => ({
        target,
        answer: now(target) ? answerOf(target, answers) : 'untried',
      })),
      refusal,
    }))
  }

  async bring(
    targets: readonly Target[],
    envelope: Envelope,
    message: Message,
  ): Promise<readonly (Refusal | null)[]> {
    const answers = await this.#bring(targets, new Deadline(), envelope, message)
    return targets.map((target) => answerOf(target, answers))
  }

  async route(to: Address): Promise<Route> {
    try {
      const targets = await this.#directory.resolve(to)
      if (targets.length > 0) return { to, targets, refusal: null }
      // It was there at RCPT: removed since.
      if (await this.#directory.owns(to.domain)) return { to, targets, refusal: noSuchUser() }
      return { to, targets: [{ kind: 'remote', address: to, of: to }], refusal: null }
    } catch (error) {
      return { to, targets: [], refusal: asRefusal(error) }
    }
  }

  async #bring(
    targets: readonly Target[],
    deadline: Deadline,
    ...mail: [Envelope, Message]
  ): Promise<Answers> {
    const answers = new Map<string, Refusal | null>()
    await Promise.all(
      [...byKind(targets)].map(async ([kind, places]) => {
        const told = await this.#deliver(kind, places, deadline, ...mail)
        places.forEach((target, at) => answers.set(placeOf(target), answerAt(told, at)))
      }),
    )
    return answers
  }

  /**
   * A recipient has the message only if all places behind it have; where one
   * may work later, the recipient as a whole must be tried again.
   */
  #outcome({ to, places, refusal }: Attempt, { id }: Envelope): Outcome {
    if (refusal !== null) return { to, refusal }
    const failures = places.flatMap(failureOf)
    const [first] = failures
    if (first === undefined) return { to, refusal: null }
    const passing = failures.find((failure) => failure.refusal.temporary)
    if (passing !== undefined) return { to, refusal: passing.refusal }
    if (failures.length === places.length) return { to, refusal: first.refusal }
    return { to, refusal: this.#inPart(to, id, failures) }
  }

  /**
   * Some places have the message, the others never will. A spool would bounce
   * their part; whoever calls this has none to send a bounce from. A 5xx would deny what
   * was delivered, a 2xx would hide what was not. So it is "later", at the
   * price of a copy for the others with each try, and an error in the log for
   * whoever can mend the alias.
   */
  #inPart(to: Address, id: string, failures: readonly Failure[]): Refusal {
    const what = failures.map(({ target, refusal }) => `${nameOf(target)}: ${reason(refusal)}`)
    const fields = { id, to: formatAddress(to), failed: what.join('; ') }
    this.#log.error('recipient served in part', fields)
    return tryLater(new Error(`delivered in part, but not to ${fields.failed}`))
  }

  async #deliver(
    kind: Target['kind'],
    targets: readonly Target[],
    deadline: Deadline,
    ...mail: [Envelope, Message]
  ): Promise<readonly (Refusal | null)[]> {
    // The key of the table says of which kind they are.
    const courier: TargetCourier | undefined = this.#couriers[kind]
    if (courier === undefined) return targets.map((target) => nobodyFor(target))
    try {
      return await courier.deliver(targets, ...mail, deadline)
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

function answerOf(target: Target, answers: Answers): Refusal | null {
  const answer = answers.get(placeOf(target))
  return answer === undefined ? unanswered() : answer
}

/** A place that was not tried has not got the message either. */
function failureOf({ target, answer }: Place): Failure[] {
  if (answer === null) return []
  return [{ target, refusal: answer === 'untried' ? unanswered() : answer }]
}

/** For the log: the arguments of a program may be secrets. */
function nameOf(target: Target): string {
  return target.kind === 'program' ? `program ${target.command[0] ?? ''}` : placeOf(target)
}

function nobodyFor(target: Target): Refusal {
  const what =
    target.kind === 'remote'
      ? `${formatAddress(target.address)} (from ${formatAddress(target.of)}) is elsewhere, and this server does not relay`
      : `nothing here delivers to a ${target.kind}`
  return misconfigured(new Error(what))
}
