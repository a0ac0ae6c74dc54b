/**
 * Mail for other domains, by the routes of the settings: to smarthosts, or to
 * the servers that the DNS names, no faster than a route allows.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import { Refusal, tryLater } from '../mail/refusal.js'
import { everyone, saidByUs } from './outcomes.js'
import type { IsOurselves } from './own-servers.js'
import { RateCap } from './rate-cap.js'
import type { Relay, RelayOutcome, RelayWork, Way } from './relay.js'
import { type DestinationTls, type Lane, type RelaySettings, Routes } from './routes.js'
import { type HopDelivery, Smarthosts } from './smarthosts.js'

/** Whoever hands mail to the servers of its domain (RFC 5321 section 5.1). */
export interface DomainDelivery {
  /**
   * One outcome per recipient, in order. Never throws, always ends.
   * @param domain of all recipients @param tls what the settings ask for
   */
  deliver(
    domain: string,
    work: RelayWork,
    message: Message,
    tls: DestinationTls,
  ): Promise<readonly RelayOutcome[]>
}

export interface RoutingRelayOptions {
  readonly hops: HopDelivery
  readonly mx: DomainDelivery
  /** Whether we take mail at that IP address and port. */
  readonly isOurselves: IsOurselves
  readonly log: Log
  /** Milliseconds of a clock that never goes back; the system's unless a test brings its own. */
  readonly now?: () => number
}

/** Milliseconds that a transaction waits for its turn, when more of them come than may begin. */
const MAX_WAIT_MS = 10_000

export class RoutingRelay implements Relay {
  readonly #options: RoutingRelayOptions
  readonly #now: () => number
  readonly #smarthosts: Smarthosts
  #routes: Routes
  /** By name of the route. */
  readonly #caps = new Map<string, RateCap>()
  /** How many transactions of a lane run. */
  readonly #running = new Map<string, number>()

  constructor(settings: RelaySettings, options: RoutingRelayOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#smarthosts = new Smarthosts({ ...options, now: this.#now })
    this.#routes = new Routes(settings)
    this.#setCaps()
  }

  /** For mail that goes from now on; what was counted and what is down is remembered. */
  reconfigure(settings: RelaySettings): void {
    this.#routes = new Routes(settings)
    this.#smarthosts.keep(this.#routes.all)
    this.#setCaps()
  }

  get enabled(): boolean {
    return this.#routes.all.length > 0
  }

  lane(way: Way): string {
    return this.#routes.laneOf(way)
  }

  /** Where there is a rate, no more than may begin now are added to those that run. */
  concurrency(lane: string): number {
    const route = this.#routes.find(lane)?.route
    // A lane that is no more: whatever is lent of it hears so at once.
    if (route === undefined) return 1
    const free = this.#caps.get(route.name)?.free ?? Infinity
    return Math.min(route.concurrency, this.#runningOf(lane) + free)
  }

  pause(lane: string): number {
    const route = this.#routes.find(lane)?.route
    return route === undefined ? 0 : (this.#caps.get(route.name)?.pauseMs ?? 0)
  }

  async deliver(lane: string, work: RelayWork, message: Message): Promise<readonly RelayOutcome[]> {
    this.#running.set(lane, this.#runningOf(lane) + 1)
    try {
      return await this.#deliver(lane, work, message)
    } catch (error) {
      this.#options.log.error('relay failed', { id: work.id, lane, reason: reason(error) })
      return everyone(work, tryLater(error))
    } finally {
      const others = this.#runningOf(lane) - 1
      if (others > 0) this.#running.set(lane, others)
      else this.#running.delete(lane)
    }
  }

  close(): Promise<void> {
    return this.#options.hops.close()
  }

  /** Recipients that go another way since a reload keep the credentials of the old one from their mail. */
  async #deliver(
    name: string,
    work: RelayWork,
    message: Message,
  ): Promise<readonly RelayOutcome[]> {
    const lane = this.#routes.find(name)
    if (lane === null) return everyone(work, wayChanged())
    const { from, user, recipients } = work
    const mine = recipients.filter(({ to }) => this.lane({ from, user, to }) === name)
    if (mine.length === 0) return everyone(work, wayChanged())
    if (!(await this.#mayBegin(lane))) return everyone(work, tooFast())
    const outcomes = await this.#hand(lane, { ...work, recipients: mine }, message)
    return recipients.map((each) => outcomes[mine.indexOf(each)] ?? saidByUs(wayChanged()))
  }

  #hand(
    { route, domain }: Lane,
    work: RelayWork,
    message: Message,
  ): Promise<readonly RelayOutcome[]> {
    if (domain === null) return this.#smarthosts.deliver(route, work, message)
    return this.#options.mx.deliver(domain, work, message, this.#routes.tlsFor(route, domain))
  }

  async #mayBegin({ route }: Lane): Promise<boolean> {
    const cap = this.#caps.get(route.name)
    if (cap === undefined) return true
    const until = this.#now() + MAX_WAIT_MS
    while (!cap.take()) {
      const { pauseMs } = cap
      if (this.#now() + pauseMs > until) return false
      await sleep(pauseMs)
    }
    return true
  }

  #runningOf(lane: string): number {
    return this.#running.get(lane) ?? 0
  }

  #setCaps(): void {
    const old = new Map(this.#caps)
    this.#caps.clear()
    for (const { name, rate } of this.#routes.all) {
      if (rate === null) continue
      const cap = old.get(name) ?? new RateCap(rate, this.#now)
      cap.change(rate)
      this.#caps.set(name, cap)
    }
  }
}

const wayChanged = (): Refusal =>
  new Refusal(451, '4.4.4', 'the way of this mail has changed; it goes another one next time')

const tooFast = (): Refusal =>
  new Refusal(451, '4.7.0', 'no more mail may go this way now; it waits for its turn')
