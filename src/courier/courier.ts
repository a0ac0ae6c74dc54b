/** Brings a message to the recipients of its envelope. */
import type { Target } from '../directory/directory.js'
import type { Address } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import type { Refusal } from '../mail/refusal.js'
import type { Deadline } from './deadline.js'

export interface Courier {
  /** One outcome per recipient, in the envelope's order. Never throws. */
  deliver(envelope: Envelope, message: Message): Promise<readonly Outcome[]>
}

/** An address and the places behind it. */
export interface Route {
  readonly to: Address
  /** Each place once; none if there is a refusal. */
  readonly targets: readonly Target[]
  /** Why there are none. */
  readonly refusal: Refusal | null
}

/** A place, and what came of bringing the message there: `null` = it is safe there. */
export interface Place {
  readonly target: Target
  readonly answer: Refusal | null | 'untried'
}

/** A recipient, and what came of each place behind it. */
export interface Attempt {
  readonly to: Address
  /** None if there is a refusal. */
  readonly places: readonly Place[]
  /** Why there are none. */
  readonly refusal: Refusal | null
}

/** What a queue needs: every place by itself, and a place again. */
export interface Carrier {
  /**
   * Brings a message to all places behind its recipients that `now` says yes to, each place once.
   * One attempt per recipient, in the envelope's order. Never throws.
   */
  attempt(
    envelope: Envelope,
    message: Message,
    now: (target: Target) => boolean,
  ): Promise<readonly Attempt[]>

  /** Where mail for that address goes; an address of another domain leads to itself. Never throws. */
  route(to: Address): Promise<Route>

  /** Brings a message to places that `route` has found: one answer each, in order. Never throws. */
  bring(
    targets: readonly Target[],
    envelope: Envelope,
    message: Message,
  ): Promise<readonly (Refusal | null)[]>
}

/** Knows one kind of place, and brings a message to any number of them. */
export interface TargetCourier<T extends Target = Target> {
  /**
   * One answer per target, in order: `null` = it is safe there. Never throws.
   * @param envelope whom the mail is from; its recipients are not looked at
   * @param deadline after it nothing is begun any more, and the answer is "later"
   */
  deliver(
    targets: readonly T[],
    envelope: Envelope,
    message: Message,
    deadline: Deadline,
  ): Promise<readonly (Refusal | null)[]>
}
