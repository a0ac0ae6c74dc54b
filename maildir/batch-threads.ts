/**
 * Hands letters to threads that may wait for the disk. A turn on libuv's
 * pool per system call costs more than the calls; here a letter costs a share
 * of one message to a thread and one back. While a batch is under way the next
 * one gathers, so the busier it is the less each letter costs.
 */
import { Worker } from 'node:worker_threads'
import type { Job } from './batch.js'
import { BatchMemory, howMany, type Packable } from './batch-pack.js'
import type { Failure } from './failure.js'

/** Threads at most, unless it is said otherwise: on a disk that takes its time, several wait side by side. */
const MAX_THREADS = 4
/** A batch that takes longer than this many milliseconds waits for a disk: another thread begins. */
const SLOW_MS = 3
const NO_ANSWER = 'the delivery thread ended without an answer'

/** What the thread is to do, without the place in a batch that is not known yet. */
export type Order = Omit<Job, 'from' | 'to'>

interface Waiting extends Packable {
  readonly done: (failure: Failure | null) => void
}

/** The threads of this process; all deliveries share them. */
export class BatchThreads {
  readonly #threads: BatchThread[] = []
  readonly #waiting: Waiting[] = []
  readonly #entry: URL
  readonly #maxThreads: number
  #scheduled = false
  #looking = false

  /** @param entry the module that a thread runs: takes a `Batch`, answers as `deliverBatch` does */
  constructor(entry = new URL('./batch-thread.js', import.meta.url), maxThreads = MAX_THREADS) {
    this.#entry = entry
    this.#maxThreads = maxThreads
  }

  /**
   * Delivers one letter.
   * @param pieces its bytes, in order
   * @returns `null` = safe on the disk
   */
  deliver(order: Order, pieces: readonly Buffer[]): Promise<Failure | null> {
    return new Promise((done) => {
      this.#waiting.push({ order, pieces, done })
      if (this.#scheduled) return
      this.#scheduled = true
      // After this turn's sockets were read: what they bring goes together.
      setImmediate(() => {
        this.#scheduled = false
        this.#dispatch()
      })
    })
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const thread = this.#free()
      if (thread === null) return this.#lookAgain()
      thread.run(this.#waiting.splice(0, howMany(this.#waiting)))
    }
  }

  /** One that has just begun will soon be done: until then the next batch gathers, though another is idle. */
  #free(): BatchThread | null {
    if (this.#threads.some((thread) => !thread.idle && thread.age <= SLOW_MS)) return null
    return this.#threads.find((thread) => thread.idle) ?? this.#another()
  }

  /** Whoever waits must not wait for a slow disk just because nobody comes after him. */
  #lookAgain(): void {
    const allAtWork =
      this.#threads.length >= this.#maxThreads && this.#threads.every((thread) => !thread.idle)
    const pointless = this.#waiting.length === 0 || allAtWork
    if (pointless || this.#looking) return
    this.#looking = true
    setTimeout(() => {
      this.#looking = false
      this.#dispatch()
    }, SLOW_MS)
  }

  /** One more thread, if there is room for one and those that there are wait for the disk. */
  #another(): BatchThread | null {
    const slow = this.#threads.every((thread) => thread.age > SLOW_MS)
    if (!slow || this.#threads.length >= this.#maxThreads) return null
    try {
      return this.#start()
    } catch (error) {
      // With any thread at all the letters only have to wait a little longer.
      if (this.#threads.length === 0) this.#refuseAll(lost(error))
      return null
    }
  }

  #start(): BatchThread {
    const thread = new BatchThread(
      this.#entry,
      () => this.#dispatch(),
      () => this.#threads.splice(this.#threads.indexOf(thread), 1),
    )
    this.#threads.push(thread)
    return thread
  }

  #refuseAll(failure: Failure): void {
    for (const { done } of this.#waiting.splice(0)) done(failure)
  }
}

class BatchThread {
  readonly #worker: Worker
  readonly #whenIdle: () => void
  readonly #memory = new BatchMemory()
  #batch: readonly Waiting[] = []
  #since = 0

  /** @param whenGone called once, when the thread ended of itself */
  constructor(entry: URL, whenIdle: () => void, whenGone: () => void) {
    this.#worker = new Worker(entry)
    this.#whenIdle = whenIdle
    this.#worker.on('message', (results: readonly (Failure | null)[]) => this.#finish(results))
    // An exit follows each error; the letters that were under way may or may not be there.
    let why: unknown = NO_ANSWER
    this.#worker.on('error', (error) => (why = error))
    this.#worker.once('exit', () => {
      whenGone()
      this.#finish(this.#batch.map(() => lost(why)))
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
    this.#worker.postMessage(this.#memory.pack(batch))
  }

  #finish(results: readonly (Failure | null)[]): void {
    const batch = this.#batch
    this.#batch = []
    this.#worker.unref()
    for (const [at, { done }] of batch.entries()) done(answer(results[at]))
    this.#whenIdle()
  }
}

/** Only an explicit `null` means that a letter is safe. */
function answer(result: Failure | null | undefined): Failure | null {
  return result === undefined ? lost(NO_ANSWER) : result
}

function lost(why: unknown): Failure {
  const message = why instanceof Error ? why.message : String(why)
  return { code: null, message, notAMaildir: false }
}
