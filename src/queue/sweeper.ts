/**
 * Finds messages that nobody is tried for any more while their senders still are to be told: what a
 * crash left between the last try and its report, and reports that could not be made. Looks again
 * and again: a spool knows what waits in it only by and by.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, reason } from '../log/log.js'
import type { QueueItem } from './item.js'
import type { Spool } from './spool.js'

/** Milliseconds from one look to the next. */
const AGAIN_MS = 60_000
/** Messages that are looked at before others get their turn. */
const STRETCH = 100
/** Milliseconds. */
const REST = 50

export interface SweeperParts {
  readonly spool: Pick<Spool, 'read' | 'untold'>
  /** Never throws. */
  readonly report: (item: QueueItem) => Promise<void>
  readonly log: Log
  /** Milliseconds from one look to the next; a minute unless a test says otherwise. */
  readonly againMs?: number
}

/** A service; it works in the background. */
export class Sweeper {
  readonly #parts: SweeperParts
  #stopping: AbortController | null = null
  #sweeping: Promise<void> = Promise.resolve()
  #timer: NodeJS.Timeout | null = null

  constructor(parts: SweeperParts) {
    this.#parts = parts
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController()
    this.#begin()
  }

  async stop(): Promise<void> {
    this.#stopping?.abort()
    this.#stopping = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#sweeping
  }

  /** In a while. */
  #later(): void {
    if (this.#stopping === null || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#begin()
    }, this.#parts.againMs ?? AGAIN_MS)
    this.#timer.unref()
  }

  #begin(): void {
    const { signal } = this.#stopping ?? {}
    if (signal === undefined) return
    this.#sweeping = this.#sweep(signal).then(() => this.#later())
  }

  async #sweep(signal: AbortSignal): Promise<void> {
    for (const [at, id] of this.#parts.spool.untold().entries()) {
      if (at % STRETCH === STRETCH - 1) await sleep(REST, undefined, { signal }).catch(() => {})
      if (signal.aborted) return
      await this.#look(id)
    }
  }

  async #look(id: string): Promise<void> {
    try {
      const item = await this.#parts.spool.read(id)
      if (item !== null) await this.#parts.report(item)
    } catch (error) {
      this.#parts.log.warn('queue cannot be read', { id, reason: reason(error) })
    }
  }
}
