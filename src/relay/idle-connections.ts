/** Connections that wait for the next message: few, for a short time, and only while the server says nothing. */
import { performance } from 'node:perf_hooks'
import type { HopConnection } from './hop-connection.js'

/** Of all servers together, and of one. */
const MAX_IDLE = 100
const MAX_IDLE_OF_ONE = 20
/** How often it is looked whether they have waited long enough, in milliseconds. */
const LOOK_MS = 5_000

interface Idle {
  readonly key: string
  readonly connection: HopConnection
  readonly since: number
}

export class IdleConnections {
  readonly #idleMs: number
  /** The one that has waited longest first. */
  #waiting: Idle[] = []
  #timer: NodeJS.Timeout | null = null
  #closed = false

  /** @param idleMs milliseconds that one may wait */
  constructor(idleMs: number) {
    this.#idleMs = idleMs
  }

  /** The one that was used last; `null` if there is none. */
  take(key: string): HopConnection | null {
    for (;;) {
      const at = this.#waiting.findLastIndex((idle) => idle.key === key)
      if (at === -1) return null
      const [found] = this.#waiting.splice(at, 1)
      // A server that has spoken meanwhile has said goodbye.
      if (found!.connection.usable) return found!.connection
      found!.connection.quit()
    }
  }

  /** Keeps it, or says goodbye to it. */
  put(key: string, connection: HopConnection): void {
    const others = this.#waiting.filter((idle) => idle.key === key).length
    const full = others >= MAX_IDLE_OF_ONE || this.#waiting.length >= MAX_IDLE
    if (this.#closed || full || !connection.usable) return connection.quit()
    this.#waiting.push({ key, connection, since: performance.now() })
    this.#timer ??= setInterval(() => this.#look(), Math.min(LOOK_MS, this.#idleMs))
  }

  /** Says goodbye to all, and to whatever comes later. */
  close(): void {
    this.#closed = true
    for (const { connection } of this.#waiting.splice(0)) connection.quit()
    this.#rest()
  }

  #look(): void {
    const oldest = performance.now() - this.#idleMs
    const stays = ({ since, connection }: Idle): boolean => since > oldest && connection.usable
    const gone = this.#waiting.filter((idle) => !stays(idle))
    this.#waiting = this.#waiting.filter((idle) => stays(idle))
    for (const { connection } of gone) connection.quit()
    if (this.#waiting.length === 0) this.#rest()
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }
}
