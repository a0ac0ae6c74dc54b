/** One worker process as its primary sees it: asked, watched, and ended when it does not answer. */
import { type ChildProcess, fork } from 'node:child_process'
import type { Log } from '../log/log.js'
import { Channel } from './channel.js'
import type { Answers, ForPrimary, ForWorker, Order } from './workers.js'

/** Milliseconds between two pings. */
const BEAT_MS = 2_000
/** Pings in a row without an answer, after which nothing is hoped for. */
const MAX_MISSED = 5
/** Milliseconds for a worker to begin, and to take up settings. */
const START_MS = 30_000
/** Milliseconds for its clients to finish, and a little more than it takes them itself. */
const STOP_MS = 40_000

/** How a process ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How it is made. */
export interface Birth {
  /** The program, a file. */
  readonly entry: string
  /** Listening sockets, by descriptor in this process. */
  readonly sockets: readonly number[]
  readonly log: Log
}

export class WorkerProcess {
  readonly #log: Log
  readonly #child: ChildProcess
  readonly #channel: Channel<ForWorker, ForPrimary>
  readonly #beat: NodeJS.Timeout
  /** Resolves when it is gone. */
  readonly ended: Promise<Ended>
  #missed = 0

  /** @param answers to its questions. @throws what the system says */
  constructor({ entry, sockets, log }: Birth, answers: Answers<ForPrimary>) {
    this.#log = log
    this.#child = fork(entry, [], {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', ...sockets],
    })
    this.#channel = new Channel((notes) => this.#send(notes), answers)
    this.#child.on('message', (notes) => this.#channel.receive(notes))
    this.ended = this.#end()
    this.#beat = setInterval(() => this.#ping(), BEAT_MS)
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** @throws why it cannot serve; it is being ended then */
  async start(order: Order): Promise<void> {
    await this.#orEnd(this.#channel.ask('start', order, START_MS))
  }

  /** @throws why it cannot; it goes on as it was, or not at all */
  reload(config: unknown): Promise<void> {
    return this.#channel.ask('reload', config, START_MS)
  }

  /** Resolves when it is gone: its clients finish first, for some 30 s. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.kill(), STOP_MS)
    this.#channel.tell('stop', null)
    await this.ended
    clearTimeout(timer)
  }

  /** At once. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async #orEnd(work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.kill()
      await this.ended
      throw error
    }
  }

  #end(): Promise<Ended> {
    return new Promise((resolve) => {
      const over = (ended: Ended): void => {
        clearInterval(this.#beat)
        this.#channel.close()
        resolve(ended)
      }
      this.#child.once('exit', (code, signal) => over({ code, signal }))
      // It could not even be made.
      this.#child.on('error', () => this.#child.pid === undefined && over(NEVER))
    })
  }

  /** Ticks are counted, not time: a primary that was asleep itself blames nobody. */
  #ping(): void {
    if (this.#missed++ >= MAX_MISSED) {
      this.#log.error('worker does not answer', { pid: this.pid, for: MAX_MISSED * BEAT_MS })
      return this.kill()
    }
    const patience = BEAT_MS * (MAX_MISSED + 1)
    this.#channel.ask('ping', null, patience).then(
      () => (this.#missed = 0),
      () => {},
    )
  }

  #send(notes: readonly unknown[]): void {
    // What cannot be sent is for a process that is going: its end is heard of by itself.
    this.#child.send([...notes], () => {})
  }
}

const NEVER: Ended = { code: null, signal: null }
