/**
 * Brings the spool's tasks to threads that may wait for the disk. While a batch is under way the
 * next one gathers, so the busier it is the less each task costs; a thread that waits for a slow
 * disk gets company.
 */
import { Worker } from 'node:worker_threads'
import { type Failure, thrown } from './disk-failure.js'
import type { Done, Task } from './disk-work.js'

/** Tasks of one batch. */
const MAX_BATCH = 64
/** A batch under way for longer, in milliseconds, waits for the disk: another thread begins. */
const SLOW_MS = 3
const GONE: Failure = { code: null, message: 'the spool thread ended', strange: false }

interface Waiting {
  readonly task: Task
  readonly settle: (done: Done) => void
}

export class DiskThreads {
  readonly #max: number
  readonly #threads = new Set<DiskThread>()
  readonly #waiting: Waiting[] = []
  #scheduled = false
  #timer: NodeJS.Timeout | null = null

  /** @param max threads */
  constructor(max: number) {
    this.#max = max
  }

  /** @throws what the system says */
  async run(task: Task): Promise<Done> {
    const done = await new Promise<Done>((settle) => {
      this.#waiting.push({ task, settle })
      this.#schedule()
    })
    if (done.failure !== null) throw thrown(done.failure)
    return done
  }

  /** After this turn's sockets were read: what they bring goes together. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => {
      this.#scheduled = false
      this.#dispatch()
    })
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#free()
      if (thread === null) return this.#lookAgain()
      thread.run(this.#waiting.splice(0, MAX_BATCH))
    }
  }

  #free(): DiskThread | null {
    const threads = [...this.#threads]
    const busy = threads.filter(({ idle }) => !idle)
    if (busy.some(({ age }) => age <= SLOW_MS)) return null
    const idle = threads.find((thread) => thread.idle)
    if (idle !== undefined) return idle
    return threads.length < this.#max ? this.#start() : null
  }

  /** Whoever waits must not wait for a slow disk because nobody comes after him. */
  #lookAgain(): void {
    const full = this.#threads.size >= this.#max && [...this.#threads].every(({ idle }) => !idle)
    if (full || this.#timer !== null) return
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#dispatch()
    }, SLOW_MS)
  }

  /** `null` if there can be none now: with any other the tasks wait for that one. */
  #start(): DiskThread | null {
    try {
      const thread = new DiskThread(
        () => this.#dispatch(),
        () => this.#threads.delete(thread),
      )
      this.#threads.add(thread)
      return thread
    } catch (error) {
      if (this.#threads.size === 0) this.#refuseAll(error)
      return null
    }
  }

  #refuseAll(error: unknown): void {
    const failure = { ...GONE, message: String(error) }
    for (const { settle } of this.#waiting.splice(0)) settle({ failure })
  }
}

class DiskThread {
  readonly #worker = new Worker(new URL('./disk-thread.js', import.meta.url))
  readonly #whenIdle: () => void
  #batch: readonly Waiting[] = []
  #since = 0

  /** @param whenGone called once, when the thread ended of itself */
  constructor(whenIdle: () => void, whenGone: () => void) {
    this.#whenIdle = whenIdle
    this.#worker.on('message', (all: readonly Done[]) => this.#finish(all))
    // An exit follows each error; what was under way may or may not be done.
    let failure = GONE
    this.#worker.on('error', (error) => (failure = { ...GONE, message: String(error) }))
    this.#worker.once('exit', () => {
      whenGone()
      this.#finish(this.#batch.map(() => ({ failure })))
    })
    this.#worker.unref()
  }

  get idle(): boolean {
    return this.#batch.length === 0
  }

  /** Milliseconds since the batch under way began. */
  get age(): number {
    return performance.now() - this.#since
  }

  run(batch: readonly Waiting[]): void {
    this.#batch = batch
    this.#since = performance.now()
    // A thread with nothing to do must not keep a program from ending.
    this.#worker.ref()
    this.#worker.postMessage(batch.map(({ task }) => task))
  }

  #finish(all: readonly Done[]): void {
    const batch = this.#batch
    this.#batch = []
    this.#worker.unref()
    for (const [at, { settle }] of batch.entries()) settle(all[at] ?? { failure: GONE })
    this.#whenIdle()
  }
}
