/**
 * Keeps so many workers alive: one that dies is replaced at once, one that dies again and again
 * after ever longer pauses.
 */
import { type Log, reason } from '../log/log.js'
import type { Ended, WorkerProcess } from './child.js'
import type { Order } from './workers.js'

/** Milliseconds after which a worker counts as one that works. */
const SETTLED_MS = 10_000
/** Milliseconds of the second pause; the first death costs none, and each further one twice as long. */
const PAUSE_MS = 100
const MAX_PAUSE_MS = 5_000

export interface WorkforceParts {
  readonly count: number
  /** Makes the process of that place, from 1. @throws what the system says */
  readonly hire: (place: number) => WorkerProcess
  /** What a worker is told at its start, as it is now. */
  readonly order: () => Order
  /** Gives back all that the worker had. */
  readonly gone: (worker: WorkerProcess) => void
  readonly log: Log
}

export class Workforce {
  readonly #parts: WorkforceParts
  readonly #places: readonly number[]
  /** Those at work. */
  readonly #workers = new Map<number, WorkerProcess>()
  /** All that are not gone. */
  readonly #alive = new Set<WorkerProcess>()
  readonly #stopping = new AbortController()
  #keeping: Promise<void>[] = []
  /** How often settings were taken up. */
  #reloads = 0

  constructor(parts: WorkforceParts) {
    this.#parts = parts
    this.#places = Array.from({ length: parts.count }, (_, at) => at + 1)
  }

  /** Resolves when all of them serve. @throws why one cannot; none is left then */
  async start(): Promise<void> {
    const begun = await Promise.allSettled(this.#places.map((place) => this.#begin(place)))
    const failed = begun.find((each) => each.status === 'rejected')
    if (failed !== undefined) {
      await this.stop()
      throw failed.reason
    }
    this.#keeping = this.#places.map((place) => this.#keep(place))
  }

  /** Lets their clients finish. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all([...this.#alive].map((worker) => worker.stop()))
    await Promise.all(this.#keeping)
  }

  /** At once: for a primary that is ending. */
  kill(): void {
    this.#stopping.abort()
    for (const worker of this.#alive) worker.kill()
  }

  /** Whoever cannot take up the settings is replaced by one that begins with them. */
  async reload(config: unknown): Promise<void> {
    this.#reloads++
    await Promise.all([...this.#workers.values()].map((worker) => this.#renew(worker, config)))
  }

  async #renew(worker: WorkerProcess, config: unknown): Promise<void> {
    try {
      await worker.reload(config)
    } catch (error) {
      const { pid } = worker
      this.#parts.log.error('worker not reloaded', { pid, reason: reason(error) })
      worker.kill()
    }
  }

  /** Sees to it that somebody works at that place until all is over. */
  async #keep(place: number): Promise<void> {
    let deaths = 0
    let since = performance.now()
    while (!this.#stopping.signal.aborted) {
      const worker = this.#workers.get(place)
      const ended = worker === undefined ? null : await worker.ended
      if (this.#stopping.signal.aborted) return
      deaths = performance.now() - since < SETTLED_MS ? deaths + 1 : 1
      const pause = pauseAfter(deaths)
      if (worker !== undefined && ended !== null) this.#tellEnd(place, worker, ended, pause)
      this.#workers.delete(place)
      await this.#sleep(pause)
      since = performance.now()
      await this.#again(place)
    }
  }

  async #again(place: number): Promise<void> {
    if (this.#stopping.signal.aborted) return
    try {
      const worker = await this.#begin(place)
      this.#parts.log.info('worker started', { worker: place, pid: worker.pid })
    } catch (error) {
      if (this.#stopping.signal.aborted) return
      this.#parts.log.error('worker not started', { worker: place, reason: reason(error) })
    }
  }

  async #begin(place: number): Promise<WorkerProcess> {
    const { hire, order } = this.#parts
    const worker = hire(place)
    this.#alive.add(worker)
    void worker.ended.finally(() => this.#bury(worker))
    const reloads = this.#reloads
    await worker.start(order())
    this.#workers.set(place, worker)
    // While it began others were told of new settings, and nobody told it.
    if (reloads !== this.#reloads) await this.#renew(worker, order().config)
    return worker
  }

  #bury(worker: WorkerProcess): void {
    this.#alive.delete(worker)
    this.#parts.gone(worker)
  }

  #tellEnd(place: number, { pid }: WorkerProcess, { code, signal }: Ended, pause: number): void {
    this.#parts.log.error('worker ended', { worker: place, pid, code, signal, again_in_ms: pause })
  }

  #sleep(ms: number): Promise<void> {
    const { signal } = this.#stopping
    return new Promise((resolve) => {
      if (ms === 0 || signal.aborted) return resolve()
      const timer = setTimeout(resolve, ms)
      const stop = (): void => {
        clearTimeout(timer)
        resolve()
      }
      signal.addEventListener('abort', stop, { once: true })
    })
  }
}

function pauseAfter(deaths: number): number {
  return deaths <= 1 ? 0 : Math.min(MAX_PAUSE_MS, PAUSE_MS * 2 ** Math.min(deaths - 2, 10))
}
