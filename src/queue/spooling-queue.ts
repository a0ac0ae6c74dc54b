/**
 * The queue of a server that can keep mail: local places are tried at once, and what is left
 * (other servers, faults that may pass, ends that somebody is to be told of) is durable in the
 * spool before anybody is told that it is taken.
 */
import type { Carrier } from '../courier/courier.js'
import { type Log, reason } from '../log/log.js'
import type { Envelope } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { noSpace, type Refusal, tryLater } from '../mail/refusal.js'
import type { Relay } from '../relay/relay.js'
import { codeOf } from './disk-failure.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import { itemOf } from './item-envelope.js'
import { planOf, type Rewrite } from './plan.js'
import type { Queue } from './queue.js'
import type { Schedule } from './schedule.js'
import type { Spool } from './spool.js'
import { tellTaken } from './tell.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])

/** Signs mail that leaves. */
export interface Seal {
  /** Before anybody has the message. @throws if it could not be signed now, and has to be */
  ready(envelope: Envelope, message: Message): Promise<void>
  /** @returns the message as it leaves @throws when it must not leave as it is */
  signed(envelope: Envelope, message: Message): Promise<Message>
}

export interface SpoolingParts {
  readonly spool: Pick<Spool, 'add'>
  readonly carrier: Carrier
  readonly relay: Pick<Relay, 'enabled'>
  /** The reverse-path of what aliases forward. */
  readonly rewrite: Rewrite
  /** What is done last to mail that leaves for other domains; absent = nothing. */
  readonly seal?: Seal
  /** As it is configured now. */
  readonly schedule: () => Schedule
  /** Told of what was put into the spool, with the content while it is at hand; must not wait. */
  readonly added: (item: QueueItem, message: Message) => void
  readonly log: Log
  /** Milliseconds since 1970; the system's clock unless a test brings its own. */
  readonly now?: () => number
  /** 0 to below 1. */
  readonly random?: () => number
}

export class SpoolingQueue implements Queue {
  readonly #parts: SpoolingParts

  constructor(parts: SpoolingParts) {
    this.#parts = parts
  }

  async put(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const { carrier, relay, rewrite, schedule } = this.#parts
    const { now = Date.now, random = Math.random } = this.#parts
    const fault = await this.#sealFault(envelope, message)
    if (fault !== null) return envelope.to.map((to) => ({ to, refusal: fault }))
    // Without a relay the courier says what is wrong: "misconfigured", and later.
    const attempts = await carrier.attempt(
      envelope,
      message,
      ({ kind }) => kind !== 'remote' || !relay.enabled,
    )
    const circumstances = { schedule: schedule(), now: now(), random }
    const plan = planOf(attempts, envelope, rewrite, circumstances)
    if (plan.queued.length === 0) return plan.outcomes
    const refusal = await this.#keep(envelope, message, plan.queued, circumstances.now)
    return refusal === null ? plan.outcomes : plan.otherwise(refusal)
  }

  /** @returns why it cannot be kept */
  async #keep(
    envelope: Envelope,
    message: Message,
    queued: readonly QueuedRecipient[],
    now: number,
  ): Promise<Refusal | null> {
    const { spool, added, log } = this.#parts
    try {
      const leaving = await this.#sealed(envelope, message, queued)
      const item = itemOf(envelope, leaving, queued, now)
      await spool.add(item, leaving)
      tellTaken(log, item)
      added(item, leaving)
      return null
    } catch (error) {
      log.error('queue cannot keep', { id: envelope.id, reason: reason(error) })
      return isFull(error) ? noSpace(error) : tryLater(error)
    }
  }

  /**
   * Found out before the places of ours are tried: a key stays as it is until somebody sets it
   * right, and each time that the client came again they would have another copy.
   */
  async #sealFault(envelope: Envelope, message: Message): Promise<Refusal | null> {
    const { seal, carrier, log } = this.#parts
    try {
      await seal?.ready(envelope, message)
      return null
    } catch (error) {
      const routes = await Promise.all(envelope.to.map((to) => carrier.route(to)))
      const leaves = routes.some(({ targets }) => targets.some(({ kind }) => kind === 'remote'))
      if (!leaves) return null
      log.error('queue cannot sign', { id: envelope.id, reason: reason(error) })
      return tryLater(error)
    }
  }

  /** What stays here needs no signature. */
  async #sealed(
    envelope: Envelope,
    message: Message,
    queued: readonly QueuedRecipient[],
  ): Promise<Message> {
    const { seal } = this.#parts
    const leaves = queued.some(({ target }) => target.kind === 'remote')
    return leaves && seal !== undefined ? seal.signed(envelope, message) : message
  }
}

function isFull(error: unknown): boolean {
  return FULL.has(codeOf(error) ?? '')
}
