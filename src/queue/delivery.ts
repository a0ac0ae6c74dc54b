/**
 * One job from the loan to what is written of it: the message is fetched, its recipients are tried,
 * and what came of each is durable before anybody is told of it. Nothing thrown here loses mail or
 * bounces it: it waits.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import { tryLater } from '../mail/refusal.js'
import type { Relay } from '../relay/relay.js'
import { after, type Circumstances, type Ending } from './aftermath.js'
import type { Endings, Work } from './endings.js'
import type { FreshMessages } from './fresh-messages.js'
import type { QueuedRecipient, QueueItem } from './item.js'
import { LOCAL_LANE } from './lane-of.js'
import { holdLease } from './lease.js'
import type { Schedule } from './schedule.js'
import type { Job, Settled, Spool } from './spool.js'
import { tellTry } from './tell.js'
import { isDone } from './ways.js'

/** Milliseconds between two attempts to write down what came of a job. */
const SETTLE_AGAIN_MS = 10_000
/** For an hour: meanwhile the job holds its place, and a disk that is full is not delivered from again and again. */
const SETTLE_TRIES = 360
/** Milliseconds that mail waits at least for a lane that has used up its rate. */
const MIN_PAUSE_MS = 100

export interface DeliveryParts {
  readonly spool: Spool
  readonly relay: Pick<Relay, 'pause'>
  /** For places of ours, and for those elsewhere. */
  readonly local: Work
  readonly remote: Work
  readonly fresh: FreshMessages
  /** Sees to what is to be told of a message. Never throws. */
  readonly report: (item: QueueItem) => Promise<void>
  readonly schedule: () => Schedule
  readonly log: Log
  readonly now: () => number
  readonly random: () => number
}

/** @param stopping ends waiting for a spool that cannot write. Never throws */
export async function carryOut(
  job: Job,
  parts: DeliveryParts,
  stopping: AbortSignal,
): Promise<void> {
  const release = holdLease(parts.spool, job, parts.log)
  try {
    const changes = changesOf(job, await endingsOf(job, parts), parts)
    const settled = await settle(job, changes, parts, stopping)
    if (settled === null || settled.othersLent) return
    parts.fresh.forget(job.item.id)
    if (isDone(settled.item)) parts.log.info('queue removed', { id: job.item.id })
    else await parts.report(settled.item)
  } finally {
    release()
  }
}

async function endingsOf(job: Job, parts: DeliveryParts): Promise<Endings> {
  const { item } = job
  const isLocal = (at: number): boolean => item.recipients[at]!.target.kind !== 'remote'
  const ours = job.recipients.filter(isLocal)
  const others = job.recipients.filter((at) => !isLocal(at))
  try {
    const message = parts.fresh.get(item.id) ?? (await parts.spool.message(item))
    const endings = new Map<number, Ending>()
    await attempt(parts.local, job, ours, message, endings)
    await attempt(parts.remote, job, others, message, endings)
    return endings
  } catch (error) {
    parts.log.error('queue message unreadable', { id: item.id, reason: reason(error) })
    const ending = { refusal: tryLater(error), arrived: 'waiting', by: null, said: null } as const
    return new Map(job.recipients.map((at) => [at, ending]))
  }
}

async function attempt(
  work: Work,
  job: Job,
  recipients: readonly number[],
  message: Message,
  endings: Map<number, Ending>,
): Promise<void> {
  if (recipients.length === 0) return
  for (const [at, ending] of await work.attempt(job, recipients, message)) endings.set(at, ending)
}

/** Whoever was not tried waits until the lane is free again, and nothing is counted against him. */
function changesOf(
  job: Job,
  endings: Endings,
  parts: DeliveryParts,
): ReadonlyMap<number, QueuedRecipient> {
  const { item, lane, recipients } = job
  const { schedule, now, random, log } = parts
  const circumstances: Circumstances = { schedule: schedule(), now: now(), random }
  const pause = lane === LOCAL_LANE ? 0 : parts.relay.pause(lane)
  const changes = new Map<number, QueuedRecipient>()
  for (const at of recipients) {
    const before = item.recipients[at]!
    const ending = endings.get(at)
    if (ending === undefined) {
      changes.set(at, { ...before, next: circumstances.now + Math.max(pause, MIN_PAUSE_MS) })
      continue
    }
    const changed = after(item, before, ending, circumstances)
    changes.set(at, changed)
    tellTry(log, item, changed, circumstances.now, ending)
  }
  return changes
}

/** @returns `null` = others have it now, or it could not be written: it will be tried again */
async function settle(
  job: Job,
  changes: ReadonlyMap<number, QueuedRecipient>,
  { spool, log }: DeliveryParts,
  stopping: AbortSignal,
): Promise<Settled | null> {
  const { id } = job.item
  for (let tries = 1; ; tries++) {
    try {
      const settled = await spool.settle(job, changes)
      if (settled === null) log.warn('queue lease lost', { id })
      return settled
    } catch (error) {
      log.error('queue cannot write', { id, reason: reason(error) })
      if (tries >= SETTLE_TRIES || stopping.aborted) return null
    }
    await sleep(SETTLE_AGAIN_MS, undefined, { signal: stopping }).catch(() => {})
  }
}
