/**
 * Threads that list and read, as they may wait for the disk. A turn on libuv's
 * pool per system call costs more than the calls; here a whole listing, or a
 * handful of messages, costs one message to a thread and one back.
 */
import { Worker } from 'node:worker_threads'
import { thrown } from './failure.js'
import type { Outcome, Task, Tasks } from './reader-thread.js'

/** Threads at most: on a disk that takes its time, several wait side by side. */
const MAX_THREADS = 4
/** A task that takes longer than this many milliseconds waits for a disk: another thread begins. */
const SLOW_MS = 3
/** Milliseconds that a thread may take to begin: to begin another meanwhile would be no faster, and takes memory for good. */
const BEGIN_MS = 100
/** Removals that a thread has before it at most. */
const MAX_REMOVALS = 4
/** Room for the many short-lived strings of a long listing: else most of its time goes into clearing up. */
const YOUNG_MB = 64

interface Waiting {
  readonly task: Task
  readonly memory: readonly ArrayBuffer[]
  readonly resolve: (answer: unknown) => void
  readonly reject: (error: unknown) => void
}

/** The threads of this process; all Maildirs share them. */
export class ReaderThreads {
  readonly #threads: ReaderThread[] = []
  readonly #waiting: Waiting[] = []
  readonly #entry: URL
  #looking = false

  /** @param entry the module that a thread runs: takes a `Task`, answers with an `Outcome` */
  constructor(entry = new URL('./reader-thread.js', import.meta.url)) {
    this.#entry = entry
  }

  /**
   * Has a thread do it.
   * @param memory in what is asked, which changes hands
   * @throws what was thrown there
   */
  ask<Name extends keyof Tasks>(
    name: Name,
    ask: Tasks[Name]['ask'],
    memory: readonly ArrayBuffer[] = [],
  ): Promise<Tasks[Name]['answer']> {
    return new Promise((resolve, reject) => {
      const answered = (answer: unknown): void => resolve(answer as Tasks[Name]['answer'])
      this.#waiting.push({ task: { name, ask }, memory, resolve: answered, reject })
      this.#dispatch()
    })
  }

  #dispatch(): void {
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting as [Waiting]
      const quick = this.#threads.find((each) => each.takesNext(next.task))
      const thread = quick ?? this.#threads.find((each) => each.idle) ?? this.#another()
      if (thread === undefined) return this.#lookAgain()
      this.#waiting.shift()
      thread.run(next)
    }
  }

  /** Whoever waits must not wait for a slow disk just because nobody comes after him. */
  #lookAgain(): void {
    const pointless = this.#waiting.length === 0 || this.#threads.length >= MAX_THREADS
    if (pointless || this.#looking) return
    this.#looking = true
    setTimeout(() => {
      this.#looking = false
      this.#dispatch()
    }, SLOW_MS)
  }

  /** One more thread, if there is room for one and those that there are wait for the disk. */
  #another(): ReaderThread | undefined {
    const slow = this.#threads.every((thread) => thread.age > SLOW_MS)
    if (!slow || this.#threads.length >= MAX_THREADS) return undefined
    try {
      return this.#start()
    } catch (error) {
      // With any thread at all the others only have to wait a little longer.
      if (this.#threads.length > 0) return undefined
      for (const { reject } of this.#waiting.splice(0)) reject(error)
      return undefined
    }
  }

  #start(): ReaderThread {
    const thread = new ReaderThread(
      this.#entry,
      () => this.#dispatch(),
      () => this.#threads.splice(this.#threads.indexOf(thread), 1),
    )
    this.#threads.push(thread)
    return thread
  }
}

/** Those that this library uses. */
export const readers = new ReaderThreads()

class ReaderThread {
  readonly #worker: Worker
  readonly #whenIdle: () => void
  /** The one under way, and those that follow it. */
  readonly #tasks: Waiting[] = []
  #since = performance.now() + BEGIN_MS
  /** The last task did not wait for the disk. */
  #quick = false

  /** @param whenGone called once, when the thread ended of itself */
  constructor(entry: URL, whenIdle: () => void, whenGone: () => void) {
    this.#worker = new Worker(entry, { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })
    this.#whenIdle = whenIdle
    this.#worker.on('message', (outcome: Outcome) => {
      this.#finish((task) => {
        if ('failure' in outcome) task.reject(thrown(outcome.failure))
        else task.resolve(outcome.answer)
      })
    })
    // An exit follows each error.
    let why: unknown = new Error('the reading thread ended without an answer')
    this.#worker.on('error', (error) => (why = error))
    this.#worker.once('exit', () => {
      whenGone()
      for (const { reject } of this.#tasks.splice(0)) reject(why)
      this.#whenIdle()
    })
    this.#worker.unref()
  }

  get idle(): boolean {
    return this.#tasks.length === 0
  }

  /**
   * Whether the task is better off here, behind those under way: a removal takes many that are
   * short, and threads that wake each other, or wait for the same directory, take longer than
   * one. On a slow disk each has a thread of its own.
   */
  takesNext({ name }: Task): boolean {
    const behind = this.#quick && this.#tasks.length > 0 && this.#tasks.length < MAX_REMOVALS
    return behind && name === 'unlink' && this.#tasks.every(({ task }) => task.name === name)
  }

  /** Milliseconds since the task under way began. */
  get age(): number {
    return performance.now() - this.#since
  }

  run(waiting: Waiting): void {
    if (this.idle) this.#since = Math.max(this.#since, performance.now())
    this.#tasks.push(waiting)
    // A thread with nothing to do must not keep a program from ending.
    this.#worker.ref()
    this.#worker.postMessage(waiting.task, waiting.memory)
  }

  /** Answers come in the order of the tasks. */
  #finish(tell: (task: Waiting) => void): void {
    const task = this.#tasks.shift()
    this.#quick = this.age < SLOW_MS
    this.#since = performance.now()
    if (this.idle) this.#worker.unref()
    if (task !== undefined) tell(task)
    this.#whenIdle()
  }
}
