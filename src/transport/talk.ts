/** The connection to an SMTP or LMTP server: commands out, replies in, TLS on the way, and no waiting without an end. */
import { connect, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import { Alarm } from './alarm.js'
import { ConnectionLost, NoAnswer, ProtocolError, saidBy } from './faults.js'
import { type Reply, ReplyParser } from './reply.js'

/** Milliseconds until the server must have taken the connection. */
const CONNECT_WITHIN = 10_000
/** Milliseconds for one address of a name that has several; Node's quarter of a second is less than a way round the world. */
const ADDRESS_WITHIN = 5_000
/** Milliseconds that a piece of the message may wait to be taken (RFC 5321 section 4.5.3.2.5). */
const TAKEN_WITHIN = 180_000
/** Milliseconds until a server that was said goodbye must have gone. */
const GONE_WITHIN = 5_000
/** Octets that a server may say in answer to what was asked at once: a thousand replies. */
const MAX_SAID = 1_048_576
// oxlint-disable-next-line no-control-regex -- what would end a command is what it is for
const BREAK = /[\r\n\0]/

export class Talk {
  #socket: Socket
  #parser = new ReplyParser()
  readonly #replies: Reply[] = []
  /** Replies that were asked for and have not come. The greeting needs no asking. */
  #owed = 1
  #said = 0
  #fault: Error | null = null
  /** TCP, then TLS. */
  #connected = false
  /** Whoever waits for a change. */
  #wake: () => void = () => {}
  #patience = 0
  readonly #alarm = new Alarm(() => {
    this.#fail(new NoAnswer(this.#patience))
    this.close()
  })

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket, 'connect')
    socket.setNoDelay(true)
  }

  /** @throws the system's error, or NoAnswer */
  static async open(place: LmtpPlace, withinMs = CONNECT_WITHIN): Promise<Talk> {
    const options =
      place.kind === 'unix'
        ? { path: place.path }
        : { ...place, autoSelectFamilyAttemptTimeout: ADDRESS_WITHIN }
    const talk = new Talk(connect(options))
    await talk.#begun(withinMs)
    return talk
  }

  /** The server's IP address; empty on a UNIX socket. */
  get address(): string {
    return this.#socket.remoteAddress ?? ''
  }

  /** True if another command may be sent: all is answered, and nothing has gone wrong. */
  get quiet(): boolean {
    return this.#fault === null && this.#owed === 0 && this.#replies.length === 0
  }

  /**
   * Commands that may be sent without waiting for each other's answers (RFC 2920); one reply
   * each is owed from now on.
   * @param lines without CR LF
   * @throws ProtocolError when the server has spoken out of turn, or has gone
   */
  send(...lines: readonly string[]): void {
    if (lines.some((line) => BREAK.test(line))) throw new ProtocolError('a line break in a command')
    this.#write(`${lines.join('\r\n')}\r\n`, lines.length)
  }

  /** @throws NoAnswer, ConnectionLost, ProtocolError or the system's error */
  async reply(withinMs: number): Promise<Reply> {
    if (this.#replies.length === 0) await this.#until(() => this.#replies.length > 0, withinMs)
    return this.#replies.shift()!
  }

  /** One command and its reply. @throws as `send` and `reply` */
  ask(line: string, withinMs: number): Promise<Reply> {
    this.send(line)
    return this.reply(withinMs)
  }

  /**
   * Reads what has arrived. A yes that came before the message was seen to its end would be
   * a lost message: the count of owed replies finds it, if only it has been read.
   * @throws as `send`
   */
  async settle(): Promise<void> {
    // The first turn may be of a round of the event loop whose reading is over.
    await turn()
    await turn()
    if (this.#fault !== null) throw this.#fault
  }

  /** A piece of the message. @throws as `send`, or NoAnswer when it is not taken in time */
  async write(bytes: Buffer, withinMs = TAKEN_WITHIN): Promise<void> {
    this.#write(bytes, 0)
    if (!this.#socket.writableNeedDrain) return
    await this.#until(() => !this.#socket.writableNeedDrain, withinMs)
  }

  /** The last piece, with the final dot: so many replies are owed from now on. @throws as `send` */
  finish(bytes: Buffer, replies: number): void {
    this.#write(bytes, replies)
  }

  /**
   * Goes on in TLS. What the server has said in clear and nobody asked for is not taken
   * for something that it said in TLS (CVE-2021-38371).
   * @param options without a socket
   * @throws ProtocolError, NoAnswer, or the error of TLS
   */
  async secure(options: ConnectionOptions, withinMs: number): Promise<TLSSocket> {
    // At the greeting nothing has been asked; with STARTTLS all must be answered.
    if (this.#fault !== null) throw this.#fault
    if (this.#parser.begun || this.#replies.length > 0) throw new ProtocolError('early words')
    const plain = this.#socket
    for (const event of ['data', 'end', 'close', 'drain', 'error']) plain.removeAllListeners(event)
    plain.on('error', () => {})
    plain.pause()
    const secured = connectTls({ ...options, socket: plain })
    this.#socket = secured
    this.#parser = new ReplyParser()
    this.#connected = false
    this.#listen(secured, 'secureConnect')
    await this.#begun(withinMs)
    return secured
  }

  /** Says goodbye without waiting for an answer. */
  quit(): void {
    if (this.#fault !== null) return this.close()
    this.#owed++
    this.#socket.end('QUIT\r\n')
    this.#alarm.set(GONE_WITHIN)
  }

  /** At once: what was not said to its end is not taken by the server. */
  close(): void {
    this.#socket.destroy()
    this.#alarm.cancel()
  }

  #listen(socket: Socket, begins: 'connect' | 'secureConnect'): void {
    socket.once(begins, () => {
      this.#connected = true
      this.#wake()
    })
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('end', () => this.#fail(new ConnectionLost()))
    socket.on('close', () => {
      this.#fail(new ConnectionLost())
      this.#alarm.cancel()
    })
    socket.on('drain', () => this.#wake())
  }

  async #begun(withinMs: number): Promise<void> {
    try {
      await this.#until(() => this.#connected, withinMs)
    } catch (error) {
      this.close()
      throw error
    }
  }

  #write(bytes: Buffer | string, replies: number): void {
    if (this.#fault !== null) throw this.#fault
    if (this.#owed === 0) this.#said = 0
    this.#owed += replies
    this.#socket.write(bytes)
  }

  #take(chunk: Buffer): void {
    try {
      this.#said += chunk.length
      if (this.#said > MAX_SAID) throw new ProtocolError('the server says too much')
      for (const reply of this.#parser.push(chunk)) {
        if (this.#owed === 0) throw tooEarly(saidBy(reply))
        this.#owed--
        this.#replies.push(reply)
      }
      if (this.#owed === 0 && this.#parser.begun) throw tooEarly('the beginning of a reply')
    } catch (error) {
      this.#fail(error as Error)
      this.close()
    }
    this.#wake()
  }

  #fail(error: Error): void {
    this.#fault ??= error
    this.#wake()
  }

  /** What has come already counts, even if the connection is lost by now. */
  async #until(good: () => boolean, withinMs: number): Promise<void> {
    if (good()) return
    this.#patience = withinMs
    this.#alarm.set(withinMs)
    try {
      while (!good()) {
        if (this.#fault !== null) throw this.#fault
        await new Promise<void>((resolve) => (this.#wake = resolve))
      }
    } finally {
      this.#alarm.stop()
    }
  }
}

const tooEarly = (said: string): ProtocolError =>
  new ProtocolError(`the server answers before it is asked: ${said}`)
