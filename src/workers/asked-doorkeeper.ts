/**
 * Room for clients of a worker, asked of the primary. Clients to whom only the limits in all apply
 * (those of this machine, such as a webmail, and trusted ones) come in with tickets that were asked
 * for in advance and are used again: they wait for nobody.
 */
import { type Log, reason } from '../log/log.js'
import type { Descriptors } from '../net/descriptors.js'
import type { Admission, Doorkeeper } from '../net/doorkeeper.js'
import type { Primary } from './asked.js'

/** Milliseconds. Longer than that no client waits for a counter: then it is let in uncounted. */
const COUNT_MS = 5_000
/** Tickets that are asked for at a time, and from how few on. */
const STOCK = 32
const FEW = 8
/** Milliseconds until who got none asks again. */
const PAUSE_MS = 1_000
/** Tickets that are kept for the next ones. */
const MAX_KEPT = 64

export interface AskedDoorkeeperParts {
  readonly primary: Primary
  /** Its place among all. */
  readonly listener: number
  /** Whether only the limits in all apply to a client with that address. */
  readonly exempt: (address: string) => boolean
  /** Of this process. */
  readonly descriptors: Descriptors
  readonly log: Log
}

export class AskedDoorkeeper implements Doorkeeper {
  readonly #parts: AskedDoorkeeperParts
  /** Tickets that nobody uses now. */
  readonly #kept: number[] = []
  /** When tickets may be asked for again; `Infinity` while that is being done. */
  #next = 0

  constructor(parts: AskedDoorkeeperParts) {
    this.#parts = parts
  }

  short(): boolean {
    return this.#parts.descriptors.short()
  }

  async admit(address: string): Promise<Admission> {
    const { primary, exempt } = this.#parts
    if (!exempt(address)) return this.#ask(address, (ticket) => primary.tell('leave', ticket))
    const kept = this.#kept.pop()
    if (this.#kept.length < FEW) this.#stockUp()
    if (kept !== undefined) return admitted(kept, (ticket) => this.#giveBack(ticket))
    return this.#ask(address, (ticket) => this.#giveBack(ticket))
  }

  async #ask(address: string, leave: (ticket: number) => void): Promise<Admission> {
    const { primary, listener, log } = this.#parts
    try {
      const ticket = await primary.ask('admit', { address, listener }, COUNT_MS, (late) => {
        // That client came in uncounted: nobody would ever give this ticket back.
        if (typeof late !== 'string') leave(late)
      })
      return typeof ticket === 'string' ? { admitted: false, why: ticket } : admitted(ticket, leave)
    } catch (error) {
      // What cannot be counted is let in: a broken counter must not stop the mail.
      log.error('limits not counted', { reason: reason(error) })
      return { admitted: true, leave: () => {} }
    }
  }

  /** In the background: whoever finds none asks for himself. */
  #stockUp(): void {
    if (performance.now() < this.#next) return
    this.#next = Infinity
    void this.#fetch().then((found) => (this.#next = found ? 0 : performance.now() + PAUSE_MS))
  }

  /** @returns false if there were none. Never rejects */
  async #fetch(): Promise<boolean> {
    const { primary, listener } = this.#parts
    try {
      const asked = { listener, tickets: STOCK }
      const tickets = await primary.ask('stock', asked, COUNT_MS, (late) => {
        for (const ticket of late) this.#giveBack(ticket)
      })
      this.#kept.push(...tickets)
      return tickets.length > 0
    } catch {
      // Whoever comes next asks for himself, and says what is wrong.
      return false
    }
  }

  #giveBack(ticket: number): void {
    if (this.#kept.length < MAX_KEPT) this.#kept.push(ticket)
    else this.#parts.primary.tell('leave', ticket)
  }
}

/** Leaving twice must not make room for two. */
function admitted(ticket: number, leave: (ticket: number) => void): Admission {
  let here = true
  return {
    admitted: true,
    leave: () => {
      if (here) leave(ticket)
      here = false
    },
  }
}
