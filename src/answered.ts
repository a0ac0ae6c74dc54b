/**
 * What the primary answers one worker: counters and the spool that all of them share. What the
 * worker holds is given back when it is gone.
 */
import type { Config } from './config/config.js'
import type { Counters } from './counters.js'
import type { Attempt } from './cred/throttle.js'
import { LoginThrottled } from './cred/errors.js'
import type { GreylistMemory } from './filter/greylist-memory.js'
import { fromBuffer, type Message } from './mail/message.js'
import type { Excess } from './net/doorkeeper.js'
import { messageIn } from './queue/body-file.js'
import type { QueueItem } from './queue/item.js'
import { temporaryIn } from './serving.js'
import { clearParcels, parcelAt, removeParcel } from './workers/parcels.js'
import type { Answers, Body, ForPrimary } from './workers/workers.js'

/** From so much free room on tickets are given in advance, and at most so many at a time. */
const PLENTY = 2_048
const MAX_STOCK = 64

export interface Shared {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly counters: Counters
  readonly greylist: GreylistMemory
  /** Durable when resolved. @throws what the disk says */
  readonly keep: (item: QueueItem, message: Message) => Promise<void>
  /** Clients of each listener, by its place, of all workers. */
  readonly clients: Map<number, number>
}

export class Answered {
  readonly #shared: Shared
  /** What to do when a client has gone, by its ticket. Grows with the clients alone. */
  readonly #tickets = new Map<number, () => void>()
  /** Logins that are being judged; those of clients. */
  readonly #attempts = new Map<number, Attempt>()
  #last = 0
  #gone = false

  constructor(shared: Shared) {
    this.#shared = shared
  }

  get answers(): Answers<ForPrimary> {
    const { limiter } = this.#shared.counters
    return {
      admit: ({ address, listener }) => this.#admit(address, listener),
      stock: ({ listener, tickets }) => this.#stock(listener, tickets),
      leave: (ticket) => this.#leave(ticket),
      hit: (asked) => limiter.hit(...asked),
      peek: (asked) => limiter.peek(...asked),
      attempt: (claim) => this.#attempt(claim),
      attempted: ({ attempt, outcome }) => this.#attempted(attempt, outcome),
      keep: ({ item, body }) => this.#keep(item, body),
      greylist: ({ network, triplet }) => this.#greylist(network, triplet),
    }
  }

  /** Gives back what the worker had. Never rejects. */
  async release(pid: number): Promise<void> {
    this.#gone = true
    for (const ticket of this.#tickets.keys()) this.#leave(ticket)
    for (const attempt of this.#attempts.keys()) await this.#attempted(attempt, 'unknown')
    await clearParcels(temporaryIn(this.#shared.config()), pid)
  }

  async #admit(address: string, listener: number): Promise<number | Excess> {
    const { clients, config, counters } = this.#shared
    if ((clients.get(listener) ?? 0) >= config().limits.connections) return 'listener'
    count(clients, listener, 1)
    const admission = await counters.doorkeeper(listener).admit(address)
    const leave = (): void => {
      count(clients, listener, -1)
      if (admission.admitted) admission.leave()
    }
    const ticket = ++this.#last
    this.#tickets.set(ticket, leave)
    // It may have died while it was being counted.
    if (this.#gone || !admission.admitted) this.#leave(ticket)
    return admission.admitted ? ticket : admission.why
  }

  /** Tickets that lie idle must not be missed where they are needed. */
  async #stock(listener: number, wanted: number): Promise<readonly number[]> {
    const { clients, config } = this.#shared
    const { connections, clients: limits } = config().limits
    const all = [...clients.values()].reduce((sum, each) => sum + each, 0)
    const free = Math.min(
      (limits.inAll || Infinity) - all,
      connections - (clients.get(listener) ?? 0),
    )
    if (free < PLENTY) return []
    const tickets = await Promise.all(
      Array.from({ length: Math.min(wanted, MAX_STOCK) }, () => this.#admit('', listener)),
    )
    return tickets.filter((ticket) => typeof ticket === 'number')
  }

  #leave(ticket: number): void {
    this.#tickets.get(ticket)?.()
    this.#tickets.delete(ticket)
  }

  async #attempt(claim: ForPrimary['attempt']['asked']): Promise<number | null> {
    try {
      const attempt = await this.#shared.counters.throttle.admit(claim)
      const number = ++this.#last
      this.#attempts.set(number, attempt)
      if (this.#gone) await this.#attempted(number, 'unknown')
      return number
    } catch (error) {
      if (error instanceof LoginThrottled) return null
      throw error
    }
  }

  async #attempted(number: number, outcome: Parameters<Attempt['ended']>[0]): Promise<void> {
    const attempt = this.#attempts.get(number)
    this.#attempts.delete(number)
    await attempt?.ended(outcome)
  }

  async #keep(item: QueueItem, body: Body): Promise<void> {
    const { keep, config } = this.#shared
    if ('octets' in body) return keep(item, inline(body.octets, item.lines))
    const path = parcelAt(temporaryIn(config()), body.parcel)
    try {
      await keep(item, messageIn(path, item.size, item.lines))
    } finally {
      await removeParcel(path)
    }
  }

  #greylist(network: string, triplet: string): Promise<number> | number {
    const { config, greylist } = this.#shared
    const settings = config().filter.greylist
    return settings === null ? 0 : greylist.wait(network, triplet, settings)
  }
}

function inline(octets: Uint8Array, lines: number): Message {
  return fromBuffer(Buffer.from(octets.buffer, octets.byteOffset, octets.length), lines)
}

function count(clients: Map<number, number>, listener: number, by: 1 | -1): void {
  const left = (clients.get(listener) ?? 0) + by
  if (left > 0) clients.set(listener, left)
  else clients.delete(listener)
}
