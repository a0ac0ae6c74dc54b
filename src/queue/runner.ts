/**
 * Empties the spool: takes what is due as far as there is room in its lane, has it delivered, and
 * sleeps until something else is due or comes in.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import type { Relay } from '../relay/relay.js'
import { carryOut, type DeliveryParts } from './delivery.js'
import { FreshMessages } from './fresh-messages.js'
import type { QueueItem } from './item.js'
import { LOCAL_LANE } from './lane-of.js'
import { LEASE_MS } from './lease.js'
import { type LocalParts, LocalWork } from './local-work.js'
import { RemoteWork } from './remote-work.js'
import type { Schedule } from './schedule.js'
import type { Job, Room, Spool } from './spool.js'

/** Jobs under way at once, of all lanes together. */
const MAX_RUNNING = 200
/** Jobs that are taken at a time. */
const MAX_CLAIM = 50
const LOCAL_CONCURRENCY = 8
/** Milliseconds; a system clock that jumps makes nothing wait longer than that. */
const MAX_SLEEP = 60_000
/** Milliseconds; what is due and cannot be lent yet is not asked for all the time. */
const MIN_SLEEP = 50
/** Milliseconds until a spool that failed is asked again. */
const AFTER_FAULT = 5_000
/** Milliseconds that `stop` waits for deliveries under way. */
const STOP_WITHIN = 30_000

export interface RunnerParts extends LocalParts {
  readonly spool: Spool
  readonly relay: Relay
  /** Sees to what is to be told of a message. Never throws. */
  readonly report: (item: QueueItem) => Promise<void>
  /** As it is configured now. */
  readonly schedule: () => Schedule
  readonly log: Log
  /** Milliseconds since 1970; the system's clock unless a test brings its own. */
  readonly now?: () => number
  /** 0 to below 1. */
  readonly random?: () => number
}

/** A service: `start` begins to take jobs, `stop` takes no more and waits for those under way. */
export class Runner {
  readonly #parts: DeliveryParts & Pick<RunnerParts, 'relay'>
  readonly #fresh = new FreshMessages()
  readonly #running = new Set<Promise<void>>()
  readonly #byLane = new Map<string, number>()
  #stopping = new AbortController()
  #started = false
  #pumping: Promise<void> | null = null
  #again = false
  #timer: NodeJS.Timeout | undefined
  /** Milliseconds until the first of the lanes that have used up their rate is free again. */
  #pauseMs = Infinity

  constructor({ now = Date.now, random = Math.random, ...parts }: RunnerParts) {
    const local = new LocalWork(parts)
    const remote = new RemoteWork(parts.relay)
    this.#parts = { ...parts, now, random, local, remote, fresh: this.#fresh }
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    this.#started = true
    this.kick()
  }

  /** Waits up to 30 seconds; what is not done by then is tried again after the next start. */
  async stop(): Promise<void> {
    this.#started = false
    clearTimeout(this.#timer)
    this.#stopping.abort()
    await this.#pumping
    const limit = new AbortController()
    const late = sleep(STOP_WITHIN, undefined, { signal: limit.signal }).catch(() => {})
    await Promise.race([Promise.all(this.#running), late])
    limit.abort()
  }

  /** Something new is in the spool. @param message its content, while it is at hand */
  added(item: QueueItem, message: Message): void {
    if (!this.#started) return
    if (item.recipients.some(({ state }) => state === 'waiting')) {
      this.#fresh.keep(item.id, message)
      this.kick()
    } else if (this.#running.size < MAX_RUNNING) {
      // Beyond that it is left to whoever looks for what is still to be reported.
      this.#run(this.#parts.report(item))
    }
  }

  /** Looks now for what is due. */
  kick(): void {
    if (!this.#started) return
    this.#again = true
    this.#pumping ??= this.#pump().finally(() => {
      this.#pumping = null
      // It may have been asked for just when it was about to sleep.
      if (this.#again) this.kick()
    })
  }

  async #pump(): Promise<void> {
    clearTimeout(this.#timer)
    try {
      while (this.#again && this.#started) {
        this.#again = false
        await this.#claimAll()
      }
      this.#sleep(this.#untilDue())
    } catch (error) {
      this.#parts.log.error('queue cannot be read', { reason: reason(error) })
      this.#sleep(AFTER_FAULT)
    }
  }

  async #claimAll(): Promise<void> {
    for (;;) {
      const free = Math.min(MAX_RUNNING - this.#running.size, MAX_CLAIM)
      if (free <= 0 || !this.#started) return
      const jobs = await this.#parts.spool.claim(free, LEASE_MS, this.#room)
      for (const job of jobs) this.#take(job)
      if (jobs.length === 0) return
    }
  }

  readonly #room: Room = (lane) => {
    const busy = this.#byLane.get(lane) ?? 0
    if (lane === LOCAL_LANE) return Math.max(0, LOCAL_CONCURRENCY - busy)
    const pause = this.#parts.relay.pause(lane)
    if (pause > 0) this.#pauseMs = Math.min(this.#pauseMs, pause)
    return pause > 0 ? 0 : Math.max(0, this.#parts.relay.concurrency(lane) - busy)
  }

  #take(job: Job): void {
    const { lane } = job
    this.#byLane.set(lane, (this.#byLane.get(lane) ?? 0) + 1)
    this.#run(this.#carryOut(job).finally(() => this.#leave(lane)))
  }

  /** What is taken while we stop goes back untouched. */
  async #carryOut(job: Job): Promise<void> {
    if (this.#started) await carryOut(job, this.#parts, this.#stopping.signal)
    else await this.#parts.spool.settle(job, new Map())
  }

  #leave(lane: string): void {
    const left = (this.#byLane.get(lane) ?? 1) - 1
    if (left > 0) this.#byLane.set(lane, left)
    else this.#byLane.delete(lane)
  }

  #run(work: Promise<void>): void {
    const running: Promise<void> = work
      .catch((error: unknown) => {
        this.#parts.log.error('queue worker failed', { reason: reason(error) })
      })
      .finally(() => {
        this.#running.delete(running)
        this.kick()
      })
    this.#running.add(running)
  }

  #untilDue(): number {
    this.#pauseMs = Infinity
    const due = this.#parts.spool.nextDue(this.#room)
    const wait = due === null ? Infinity : due - this.#parts.now()
    return Math.max(MIN_SLEEP, Math.min(wait, this.#pauseMs, MAX_SLEEP))
  }

  #sleep(ms: number): void {
    clearTimeout(this.#timer)
    if (!this.#started) return
    this.#timer = setTimeout(() => this.kick(), ms)
    this.#timer.unref()
  }
}
