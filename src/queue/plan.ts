/**
 * Decides what becomes of a message after its first try: what its client is told, and what the
 * spool keeps. Whoever is promised a delivery is in the plan; whoever is refused is not.
 */
import type { Attempt, Place } from '../courier/courier.js'
import { placeOf, type RemoteTarget, type Target } from '../directory/directory.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Envelope, Notice } from '../mail/envelope.js'
import type { Outcome } from '../mail/outcome.js'
import { type Refusal, tryLater } from '../mail/refusal.js'
import { after, type Circumstances } from './aftermath.js'
import type { QueuedRecipient } from './item.js'
import { waitingFor } from './waiting.js'
import { wants } from './wishes.js'

/**
 * The reverse-path of mail that an alias forwards (SRS); nothing = as it is. Must not throw.
 * @param from the message's own
 */
export type Rewrite = (from: Address | null, target: RemoteTarget) => Address | null | undefined

export interface Plan {
  /** One per recipient; they hold once the spool has what is to wait. */
  readonly outcomes: readonly Outcome[]
  /** What the spool is to keep; empty = nothing. */
  readonly queued: readonly QueuedRecipient[]
  /** What the client is told instead if the spool cannot take it. */
  otherwise(refusal: Refusal): readonly Outcome[]
}

/** @param attempts one per recipient of the envelope, in order */
export function planOf(
  attempts: readonly Attempt[],
  envelope: Envelope,
  rewrite: Rewrite,
  circumstances: Circumstances,
): Plan {
  const planner = new Planner(envelope, rewrite, circumstances)
  // One reply for all: where some have it, the others are ours (reliability: no second copies).
  const some = envelope.answersEach !== true && attempts.some(isTaken)
  const all = some || envelope.unanswered === true
  attempts.forEach((attempt, at) => {
    if (all || isTaken(attempt)) planner.take(attempt, envelope.notices?.[at] ?? null)
    else planner.refuse(attempt)
  })
  return planner
}

class Planner implements Plan {
  readonly #envelope: Envelope
  readonly #rewrite: Rewrite
  readonly #circumstances: Circumstances
  readonly #outcomes: Outcome[] = []
  readonly #queued = new Map<string, QueuedRecipient>()
  /** By place among the recipients: those who get nothing unless the spool has it. */
  readonly #owed = new Set<number>()

  constructor(envelope: Envelope, rewrite: Rewrite, circumstances: Circumstances) {
    this.#envelope = envelope
    this.#rewrite = rewrite
    this.#circumstances = circumstances
  }

  get outcomes(): readonly Outcome[] {
    return this.#outcomes
  }

  get queued(): readonly QueuedRecipient[] {
    return [...this.#queued.values()]
  }

  otherwise(refusal: Refusal): readonly Outcome[] {
    return this.#outcomes.map((outcome, at) =>
      this.#owed.has(at) ? { ...outcome, refusal } : outcome,
    )
  }

  refuse({ to, places, refusal }: Attempt): void {
    this.#outcomes.push({ to, refusal: refusal ?? refusalOf(places) })
  }

  take({ to, places, refusal }: Attempt, notice: Notice | null): void {
    const at = this.#outcomes.push({ to, refusal: null }) - 1
    const known = refusal === null ? places : [{ target: unresolved(to), answer: refusal }]
    for (const { target, answer } of known) {
      if (answer === null && !wants({ notice }, 'success')) continue
      if (answer !== null) this.#owed.add(at)
      this.#add(this.#recipient(to, target, answer, notice))
    }
  }

  #recipient(
    to: Address,
    target: Target,
    answer: Place['answer'],
    notice: Notice | null,
  ): QueuedRecipient {
    const { now } = this.#circumstances
    const { from } = this.#envelope
    const rewritten = target.kind === 'remote' ? this.#rewrite(from, target) : null
    const fresh = {
      ...waitingFor(to, target, notice, now),
      ...(rewritten === null || rewritten === undefined ? {} : { from: rewritten }),
    }
    if (answer === 'untried') return fresh
    const ending = { refusal: answer, arrived: 'delivered', by: null, said: null } as const
    return after({ from, waitedMs: 0 }, fresh, ending, this.#circumstances)
  }

  /** One copy for a place; but of its end each recipient is told. */
  #add(recipient: QueuedRecipient): void {
    const { state, target, to } = recipient
    const place = placeOf(target)
    const key = state === 'waiting' ? place : `${place} of ${formatAddress(to)}`
    if (!this.#queued.has(key)) this.#queued.set(key, recipient)
  }
}

/** Somebody has the message, or will. */
function isTaken({ places }: Attempt): boolean {
  return places.some(({ answer }) => answer === null || answer === 'untried')
}

/** Where one of the places may work later, the recipient may. */
function refusalOf(places: readonly Place[]): Refusal {
  const refusals = places.flatMap(({ answer }) => (answer instanceof Error ? [answer] : []))
  const missing = (): Refusal => tryLater(new Error('a recipient without any place'))
  return refusals.find(({ temporary }) => temporary) ?? refusals[0] ?? missing()
}

/**
 * Stands for the places of a recipient that could not be looked up: its own mailbox, if there is
 * one. The next try looks again (see local-work.ts).
 */
function unresolved(to: Address): Target {
  return { kind: 'mailbox', user: to, quota: null }
}
