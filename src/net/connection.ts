/** One client: carries what a session says and hears over a wire, as fast as both allow. */
import { type Log, reason } from '../log/log.js'
import { type Bytes, inMemory } from '../mail/message.js'
import type { Certificates } from './certificates.js'
import { Dialogue } from './dialogue.js'
import { Outbox } from './outbox.js'
import type { Answer, Session, TlsFacts } from './session.js'
import type { Wire } from './wire.js'

const NOTHING = Buffer.alloc(0)
/**
 * Milliseconds that a client may have answers made for it without a pause: one that reads as
 * fast as we write is never waited for, and nobody else would be served meanwhile.
 */
const TURN_MS = 20

export interface ConnectionOptions {
  readonly wire: Wire
  readonly session: Session
  readonly log: Log
  /** TLS before the first byte of the protocol. */
  readonly implicitTls: boolean
  /** TLS that ended before us, at a proxy that is believed; `null` = none. */
  readonly proxiedTls: TlsFacts | null
  /** `null` = no TLS here. Asked for each handshake, so that a new certificate is used at once. */
  readonly certificates: () => Certificates | null
}

export class Connection {
  readonly #session: Session
  readonly #dialogue: Dialogue
  readonly #options: ConnectionOptions
  readonly #wire: Wire
  readonly #outbox: Outbox
  #over = false
  #stopping = false

  constructor(options: ConnectionOptions) {
    this.#options = options
    this.#session = options.session
    this.#wire = options.wire
    this.#outbox = new Outbox(options.wire)
    this.#dialogue = new Dialogue(options.session)
    this.#session.connected?.(() => this.destroy())
  }

  /** Serves the client; resolves when the connection is over. Never throws. */
  async run(): Promise<void> {
    try {
      await this.#converse()
      await this.#wire.close()
    } catch (error) {
      this.#options.log.error('net session failed', { reason: reason(error) })
    }
    this.#wire.destroy()
    await this.#session.closed().catch((error: unknown) => {
      this.#options.log.error('net session failed to close', { reason: reason(error) })
    })
  }

  /** Ends the connection as soon as what is being worked on has its answer. */
  stop(): void {
    this.#stopping = true
    // A body that is being received is a promise being kept: it gets its reply first.
    if (!this.#dialogue.inBody) this.#wire.interrupt()
  }

  /** Ends the connection now, whatever it does. */
  destroy(): void {
    this.#wire.destroy()
  }

  sweep(now: number): void {
    this.#wire.sweep(now)
  }

  get #finished(): boolean {
    return this.#over || this.#wire.gone
  }

  async #converse(): Promise<void> {
    const { implicitTls, proxiedTls } = this.#options
    if (proxiedTls !== null) this.#session.secured(proxiedTls)
    if (implicitTls) await this.#secure(NOTHING)
    if (this.#finished) return
    await this.#sent(await this.#session.greet())
    while (!this.#finished && (await this.#input())) {
      this.#turnBegan = performance.now()
      this.#dialogue.push(this.#wire.take())
      await this.#answer()
    }
    if (!this.#finished) await this.#farewell()
  }

  /** Waits for input. False: none will come, it comes too late, or the server stops. */
  #input(): boolean | Promise<boolean> {
    if (this.#stopping && !this.#dialogue.inBody) return false
    if (this.#wire.hasInput) return true
    const since = (this.#waitingSince ??= performance.now())
    return this.#wire.input(since + this.#dialogue.patience)
  }

  /** When the input that is still incomplete began: one that comes byte by byte has no more time than another. */
  #waitingSince: number | null = null

  /** When this client's turn began. */
  #turnBegan = 0

  get #turnIsOver(): boolean {
    return performance.now() - this.#turnBegan > TURN_MS
  }

  /** Everybody else is served first. */
  async #nextTurn(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    this.#turnBegan = performance.now()
  }

  /** Gives every answer that the input so far allows. */
  async #answer(): Promise<void> {
    while (!this.#dialogue.idle && !this.#finished) {
      const next = this.#dialogue.next(this.#wire.hasInput)
      const answer = next instanceof Promise ? await next : next
      if (answer === null) continue
      this.#waitingSince = null
      // Of many answers to pipelined commands most take no turn of the event loop.
      if (!this.#put(answer)) await this.#sent(answer)
      if (this.#outbox.full) await this.#outbox.flush()
      if (this.#turnIsOver) await this.#nextTurn()
      if (this.#stopping && !this.#dialogue.inBody) break
    }
    await this.#outbox.flush()
  }

  /** Leaves an answer with others that will be sent. @returns false if it needs more than that */
  #put({ head, body, then, after }: Answer): boolean {
    if (after !== undefined || then !== undefined) return false
    if (body !== undefined && !Array.isArray(body)) return false
    const pieces: readonly Buffer[] = body ?? []
    this.#outbox.put(head)
    for (const piece of pieces) this.#outbox.put(piece)
    return true
  }

  async #sent(answer: Answer): Promise<void> {
    if (answer.after !== undefined) await this.#delay(answer.after)
    if (answer.then === 'starttls') return this.#secure(answer.head)
    this.#outbox.put(answer.head)
    if (answer.body !== undefined) await this.#stream(answer.body)
    if (answer.then === 'close') this.#over = true
    if (this.#over || this.#dialogue.idle) await this.#outbox.flush()
  }

  /** What was said before goes out first; who hangs up meanwhile is not waited for. */
  async #delay(milliseconds: number): Promise<void> {
    await this.#outbox.flush()
    if (!this.#stopping) await this.#wire.pause(milliseconds)
  }

  async #stream(body: Bytes): Promise<void> {
    // No `for await` over what is there already: it would cost a turn per chunk.
    if (inMemory(body)) {
      for (const chunk of body) {
        this.#outbox.put(chunk)
        if (this.#outbox.full) await this.#outbox.flush()
        if (this.#turnIsOver) await this.#nextTurn()
        if (this.#wire.gone) return
      }
      return
    }
    for await (const chunk of body) {
      this.#outbox.put(chunk)
      // However small: its memory may be that of the next.
      await this.#outbox.flush()
      if (this.#wire.gone) return
    }
  }

  async #secure(farewell: Buffer): Promise<void> {
    await this.#outbox.flush()
    this.#dialogue.forget()
    const certificates = this.#options.certificates()
    const facts = certificates === null ? null : await this.#wire.secure(farewell, certificates)
    if (facts === null) this.#over = true
    else this.#session.secured(facts)
  }

  /** The client went silent or the server stops: says so, if anybody is still there. */
  async #farewell(): Promise<void> {
    if (!this.#stopping && !this.#wire.late) return
    this.#outbox.put(this.#session.farewell(this.#stopping ? 'stopping' : 'idle'))
    await this.#outbox.flush()
  }
}
