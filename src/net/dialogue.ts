/**
 * Drives a session without a socket: bytes in, answers out. Here a stream of
 * bytes is cut into lines and bodies, so wherever TCP splits it, the session
 * sees the same.
 */
import type { Answer, Session } from './session.js'

const LF = 10
const CR = 13
/** First byte of a TLS record that carries a handshake (RFC 8446 section 5.1). */
const TLS_HANDSHAKE = 0x16
/** How much of a line without end is read (and thrown away) before the client is told and cut off. */
const MAX_DISCARD = 65_536
const EMPTY = Buffer.alloc(0)

export class Dialogue {
  readonly #session: Session
  /** What arrived; what lies before `#at` was used. */
  #buffer: Buffer = EMPTY
  #at = 0
  /** Where the search for a line end goes on, so that no byte is searched twice. */
  #searched = 0
  /** True when the buffer holds only the beginning of a line. */
  #waiting = false
  /** Bytes of an overlong line that were thrown away so far; 0 while the line is of fair length. */
  #discarded = 0
  #first = true
  #over = false
  /** Bytes that the current raw input took. */
  #taken = 0

  constructor(session: Session) {
    this.#session = session
  }

  /** True while nothing is buffered that could give another answer at once. */
  get idle(): boolean {
    return this.#over || this.#waiting || this.#left === 0
  }

  /** Octets that were not used yet. */
  get #left(): number {
    return this.#buffer.length - this.#at
  }

  /** True while a message body is being received. */
  get inBody(): boolean {
    return this.#session.raw !== null
  }

  /** Milliseconds from the beginning of the current input until the client has been too slow. */
  get patience(): number {
    const { raw, patience } = this.#session
    return raw === null ? patience : raw.patience(this.#taken)
  }

  /** Adds what arrived. Call `next()` until it gives `null` before adding more: then at most one line's beginning is kept. */
  push(chunk: Buffer): void {
    if (this.#over) return
    this.#buffer = this.#left === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    this.#searched -= this.#at
    this.#at = 0
    this.#waiting = false
  }

  /**
   * The next answer, or `null` when more bytes are needed. A promise only if the session takes its time.
   * @param more true if further bytes have come already, and wait to be pushed
   */
  next(more = false): Answer | null | Promise<Answer | null> {
    while (!this.idle) {
      if (this.#session.raw !== null) return this.#body()
      if (this.#first && this.#buffer[this.#at] === TLS_HANDSHAKE) {
        return this.#end(this.#session.fault('tls-hello'))
      }
      this.#first = false
      const answer = this.#line(more)
      if (answer !== null) return answer
    }
    return null
  }

  /** TLS begins: whatever was sent in clear before it is gone (CVE-2011-0411). */
  forget(): void {
    this.#use(this.#left)
    this.#discarded = 0
    // A TLS handshake inside TLS is just a strange line.
    this.#first = false
  }

  /** Hands what is there to the body, which takes all of it until it has an answer. */
  async #body(): Promise<Answer | null> {
    const { taken, answer } = await this.#session.raw!.take(this.#rest)
    this.#use(taken)
    this.#taken = answer === null ? this.#taken + taken : 0
    return answer === null ? null : this.#checked(answer)
  }

  /** Takes one line from the buffer; `null` if that gave no answer. */
  #line(more: boolean): Answer | Promise<Answer> | null {
    const lf = this.#buffer.indexOf(LF, this.#searched)
    if (lf === -1) return this.#unfinished()
    const buffer = this.#buffer
    const from = this.#at
    this.#use(lf + 1 - from)
    const length = this.#discarded + lf + 1 - from
    if (length > this.#session.maxLine) return this.#overlong(length)
    const crlf = lf > from && buffer[lf - 1] === CR
    if (!crlf && !this.#session.bareLf) return this.#end(this.#session.fault('bare-lf'))
    return this.#command(buffer.subarray(from, crlf ? lf - 1 : lf), more)
  }

  #command(line: Buffer, more: boolean): Answer | Promise<Answer> {
    if ((more || this.#left > 0) && this.#session.mustBeLast(line)) {
      return this.#end(this.#session.fault('out-of-step'))
    }
    const answer = this.#session.command(line)
    return answer instanceof Promise
      ? answer.then((late) => this.#checked(late))
      : this.#checked(answer)
  }

  /** No line end in sight: waits for it, or begins to throw away what can no longer become a command. */
  #unfinished(): Answer | null {
    const length = this.#left
    this.#searched = this.#buffer.length
    this.#waiting = this.#discarded === 0 && length <= this.#session.maxLine
    if (this.#waiting) return null
    this.#discarded += length
    this.#use(length)
    return this.#discarded > MAX_DISCARD ? this.#end(this.#session.fault('overlong')) : null
  }

  /** A line that is over at last: forgiven once, unless it would have been cut off on its way. */
  #overlong(length: number): Answer {
    this.#discarded = 0
    const answer = this.#session.fault('overlong')
    return length > MAX_DISCARD ? this.#end(answer) : this.#checked(answer)
  }

  /** What was not used yet. */
  get #rest(): Buffer {
    return this.#buffer.subarray(this.#at)
  }

  #use(length: number): void {
    this.#at += length
    // Nobody who says nothing for an hour keeps what he said last.
    if (this.#left === 0) [this.#buffer, this.#at] = [EMPTY, 0]
    this.#searched = this.#at
  }

  #checked(answer: Answer): Answer {
    return answer.then === 'close' ? this.#end(answer) : answer
  }

  /** Nothing that follows is looked at. */
  #end(answer: Answer): Answer {
    this.#over = true
    this.#use(this.#left)
    return answer.then === 'close' ? answer : { ...answer, then: 'close' }
  }
}
