/**
 * Has crypt(3) worked out on threads of its own: it takes milliseconds to seconds without a pause,
 * in which nobody else would be served.
 */
import { Worker } from 'node:worker_threads'
import type { CryptTask } from './crypt-thread.js'

/** As many as password checks that run at once, see slots.ts. */
const MAX_THREADS = 2
/** Tasks that wait; the caller's own bound is meant to come first. */
const MAX_WAITING = 1_000
/** Milliseconds: with the costs that are taken at most, some seconds on a busy machine. */
const DEADLINE_MS = 60_000
/** Milliseconds without a task after which a thread ends, and gives its memory back. */
const IDLE_MS = 60_000

interface Waiting {
  readonly task: CryptTask
  readonly resolve: (form: string) => void
  readonly reject: (error: unknown) => void
}

const waiting: Waiting[] = []
const idle: CryptThread[] = []
let threads = 0

/**
 * The stored form of the password with the salt of another one.
 * @param setting a form that crypt.ts knows
 * @throws Error when it cannot be worked out, or not in time
 */
export function cryptAside(password: string, setting: string): Promise<string> {
  if (waiting.length >= MAX_WAITING) throw new Error('too many passwords to work out')
  return new Promise((resolve, reject) => {
    waiting.push({ task: { password, setting }, resolve, reject })
    dispatch()
  })
}

function dispatch(): void {
  if (waiting.length === 0) return
  const thread = idle.pop() ?? (threads < MAX_THREADS ? new CryptThread() : undefined)
  if (thread !== undefined) thread.run(waiting.shift()!)
}

class CryptThread {
  readonly #worker = new Worker(new URL('./crypt-thread.js', import.meta.url))
  #task: Waiting | null = null
  #timer: NodeJS.Timeout | undefined

  constructor() {
    threads++
    let why: unknown = new Error('the hash could not be worked out in time')
    this.#worker.on('message', (form: string) => this.#finish(form))
    // An exit follows each error.
    this.#worker.on('error', (error) => (why = error))
    this.#worker.once('exit', () => this.#gone(why))
    this.#worker.unref()
  }

  run(task: Waiting): void {
    this.#task = task
    this.#limit(DEADLINE_MS)
    // A thread with nothing to do must not keep a program from ending; one with a task must.
    this.#worker.ref()
    this.#worker.postMessage(task.task)
  }

  #finish(form: string): void {
    const task = this.#task
    this.#task = null
    this.#worker.unref()
    this.#limit(IDLE_MS)
    idle.push(this)
    task?.resolve(form)
    dispatch()
  }

  #gone(why: unknown): void {
    clearTimeout(this.#timer)
    threads--
    const at = idle.indexOf(this)
    if (at !== -1) idle.splice(at, 1)
    this.#task?.reject(why)
    dispatch()
  }

  /** Ends the thread after so many milliseconds, whatever it does. */
  #limit(ms: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const at = idle.indexOf(this)
      if (at !== -1) idle.splice(at, 1)
      void this.#worker.terminate()
    }, ms).unref()
  }
}
