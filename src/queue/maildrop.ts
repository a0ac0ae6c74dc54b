/**
 * Takes what the users of the machine put into the maildrop, as soon as it is there, and what was
 * put there while no server ran. A file is removed after its message is in the queue: a crash
 * between the two makes a second copy at most, and none of a message that still waits, since its id
 * is made from the file.
 */
import { type FSWatcher, watch } from 'node:fs'
import { readdir, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { type Log, reason } from '../log/log.js'
import { type Address, formatAddress } from '../mail/address.js'
import type { Envelope } from '../mail/envelope.js'
import { type Message, prepend } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { Refusal } from '../mail/refusal.js'
import { completed } from '../mail/submitted.js'
import { codeOf } from './disk-failure.js'
import { dropAside } from './drop-aside.js'
import { dropEnvelope, dropTrace } from './drop-envelope.js'
import { DropMarks } from './drop-marks.js'
import { dropsIn } from './drop-names.js'
import { openDropPlace } from './drop-place.js'
import { BadDrop, COPY_PREFIX, takeDrop, type TakenDrop } from './drop-read.js'

/** Milliseconds; a watch may miss something, and some file systems have none. */
const LOOK_MS = 30_000
/** Milliseconds that a message rests that could not be taken. */
const REST_MS = 60_000
/** Messages at once. */
const WORKERS = 4

export interface MaildropParts {
  /** The server's state directory; it is there. */
  readonly state: string
  /** For copies of large messages; it is there. */
  readonly temporaryDirectory: string
  readonly hostname: string
  /** Octets of the largest message; a reload changes it. */
  readonly maxSize: () => number
  /** Takes a message for all of its recipients; the queue's `put`. */
  readonly send: (envelope: Envelope, message: Message) => Promise<readonly Outcome[]>
  readonly log: Log
  /** Milliseconds between two looks without a reason; half a minute unless a test says otherwise. */
  readonly lookMs?: number
  /** Milliseconds that a message rests; a minute unless a test says otherwise. */
  readonly restMs?: number
}

/** A service; it works in the background. */
export class Maildrop {
  readonly #parts: MaildropParts
  readonly #marks = new DropMarks(() => performance.now())
  #path = ''
  #watcher: FSWatcher | null = null
  #working: Promise<void> | null = null
  #running = false
  #timer: NodeJS.Timeout | null = null
  /** Something came while we were at work. */
  #again = false

  constructor(parts: MaildropParts) {
    this.#parts = parts
  }

  /** @throws StrangeFile, or what the disk says */
  async start(): Promise<void> {
    if (this.#running) return
    const { state, temporaryDirectory, log } = this.#parts
    const { path, grouped } = await openDropPlace(state)
    if (!grouped) log.warn('maildrop not setgid', { path, meaning: 'files are found by name only' })
    this.#path = path
    await removeCopies(temporaryDirectory)
    this.#running = true
    this.#watch()
    this.#kick()
  }

  /** What is under way ends first. */
  async stop(): Promise<void> {
    this.#running = false
    this.#watcher?.close()
    this.#watcher = null
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    await this.#working
  }

  /** Without a watch there is still the look now and then. */
  #watch(): void {
    const failed = (error: unknown): void =>
      this.#parts.log.warn('maildrop not watched', { reason: reason(error) })
    try {
      this.#watcher = watch(this.#path, { persistent: false }, () => this.#kick())
      this.#watcher.on('error', failed)
    } catch (error) {
      failed(error)
    }
  }

  #kick(): void {
    this.#again = true
    if (!this.#running || this.#working !== null) return
    this.#working = this.#rounds().finally(() => {
      this.#working = null
      this.#later()
    })
  }

  #later(): void {
    if (!this.#running) return
    if (this.#again) return this.#kick()
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#kick(), this.#parts.lookMs ?? LOOK_MS).unref()
  }

  /** Never throws. */
  async #rounds(): Promise<void> {
    try {
      while (this.#again && this.#running) {
        this.#again = false
        const { names, more } = await dropsIn(this.#path, (name) => this.#marks.isDue(name))
        const queue = names.values()
        await Promise.all(Array.from({ length: WORKERS }, () => this.#work(queue)))
        // Whatever was not taken rests, so this ends.
        if (more) this.#again = true
      }
    } catch (error) {
      this.#parts.log.error('maildrop cannot be read', { reason: reason(error) })
    }
  }

  async #work(names: Iterator<string> & Iterable<string>): Promise<void> {
    for (const name of names) {
      if (!this.#running) return
      await this.#take(name)
    }
  }

  async #take(name: string): Promise<void> {
    const { maxSize, temporaryDirectory } = this.#parts
    try {
      const limits = { maxSize: maxSize(), temporaryDirectory }
      const taken = await takeDrop(this.#path, name, limits)
      if (taken === null) return this.#marks.forget(name)
      try {
        await this.#hand(name, taken)
      } finally {
        await taken.discard()
      }
    } catch (error) {
      const bad = error instanceof BadDrop || (error instanceof Refusal && !error.temporary)
      if (bad) await this.#putAside(name, error)
      else this.#rest(name, reason(error))
    }
  }

  async #hand(name: string, taken: TakenDrop): Promise<void> {
    const to = taken.drop.to.filter((each) => !this.#marks.has(name, each))
    const outcomes = to.length === 0 ? [] : await this.#send(taken, to)
    const refused = outcomes.find(({ refusal }) => refusal !== null)?.refusal
    const done = outcomes.filter(({ refusal }) => refusal === null).map(({ to: whom }) => whom)
    if (refused !== undefined || outcomes.length < to.length) {
      return this.#rest(name, reason(refused ?? 'no outcome for a recipient'), done)
    }
    // Should it not go away now, nobody gets it a second time.
    this.#marks.rest(name, this.#restMs, done)
    await unlink(join(this.#path, name))
    this.#marks.forget(name)
    if (to.length > 0) this.#tell(taken)
  }

  async #send(taken: TakenDrop, to: readonly Address[]): Promise<readonly Outcome[]> {
    const { hostname, send } = this.#parts
    const { id } = taken
    const traced = prepend(dropTrace(taken, hostname, new Date()), taken.message)
    const message = await completed(traced, { id, hostname, now: new Date() })
    return send(dropEnvelope(taken, to, hostname), message)
  }

  #tell({ id, uid, drop, message }: TakenDrop): void {
    const from = drop.from === null ? '<>' : formatAddress(drop.from)
    const size = message.size + message.lines
    this.#parts.log.info('maildrop accepted', { id, uid, from, nrcpt: drop.to.length, size })
  }

  /** @param done who has it */
  #rest(name: string, why: string, done: readonly Address[] = []): void {
    this.#marks.rest(name, this.#restMs, done)
    this.#parts.log.warn('maildrop not taken', { name, reason: why })
  }

  get #restMs(): number {
    return this.#parts.restMs ?? REST_MS
  }

  async #putAside(name: string, why: unknown): Promise<void> {
    const { state, log } = this.#parts
    try {
      const path = await dropAside(join(state, 'spool'), this.#path, name)
      log.error('maildrop bad file', { name, reason: reason(why), moved: path })
    } catch (error) {
      this.#rest(name, reason(error))
    }
  }
}

/** What a crash left. */
async function removeCopies(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(COPY_PREFIX)) continue
    await unlink(join(directory, name)).catch((error: unknown) => {
      if (codeOf(error) !== 'ENOENT') throw error
    })
  }
}
