/** The connection to an SMTP or LMTP server: commands out, replies in, and no waiting without an end. */
import { connect, type Socket } from 'node:net'
import { performance } from 'node:perf_hooks'
import { setImmediate as turn } from 'node:timers/promises'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import { ProtocolError, type Reply, ReplyParser } from './reply.js'

/** Milliseconds until the server must have taken the connection. */
const CONNECT_WITHIN = 10_000
/** Milliseconds that a piece of the message may wait to be taken. */
const TAKEN_WITHIN = 60_000
/** Octets that a server may say on one connection: a thousand replies. */
const MAX_SAID = 1_048_576

export class Talk {
  readonly #socket: Socket
  readonly #parser = new ReplyParser()
  readonly #replies: Reply[] = []
  #connected = false
  #said = 0
  #fault: Error | null = null
  /** Whoever waits for a change. */
  #wake: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.once('connect', () => {
      this.#connected = true
      this.#wake()
    })
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new ProtocolError('the server has gone')))
    socket.on('drain', () => this.#wake())
  }

  /** @throws the system's error, or Error when it takes too long */
  static async open(place: LmtpPlace): Promise<Talk> {
    const socket = connect(place.kind === 'unix' ? { path: place.path } : place)
    const talk = new Talk(socket)
    try {
      await talk.#until(() => talk.#connected, CONNECT_WITHIN)
      return talk
    } catch (error) {
      talk.close()
      throw error
    }
  }

  /**
   * @param line printable, without CR LF
   * @throws ProtocolError when the server has answered already
   */
  async command(line: string): Promise<void> {
    await this.#unprompted()
    if (/[\r\n\0]/.test(line)) throw new ProtocolError('a line break in a command')
    this.#socket.write(`${line}\r\n`)
  }

  /** @throws Error when none comes in time, or the connection is lost */
  async reply(withinMs: number): Promise<Reply> {
    await this.#until(() => this.#replies.length > 0, withinMs)
    return this.#replies.shift()!
  }

  /** A piece of the message. @throws as `command`, or Error when it is not taken in time */
  async write(bytes: Buffer): Promise<void> {
    await this.#unprompted()
    this.#socket.write(bytes)
    await this.#until(() => !this.#socket.writableNeedDrain, TAKEN_WITHIN)
  }

  /** Says goodbye without waiting for an answer. */
  quit(): void {
    this.#socket.end('QUIT\r\n')
    this.#socket.setTimeout(CONNECT_WITHIN, () => this.close())
  }

  /** At once: what was not said to its end is not taken by the server. */
  close(): void {
    this.#socket.destroy()
  }

  /**
   * What comes before it was asked for cannot be an answer: a yes to a message that the
   * server has not seen to its end would be a lost message. What has arrived is read first.
   */
  async #unprompted(): Promise<void> {
    await turn()
    if (this.#replies.length > 0 || this.#parser.begun) {
      throw new ProtocolError('the server answers before it is asked')
    }
    if (this.#fault !== null) throw this.#fault
  }

  #take(chunk: Buffer): void {
    try {
      for (const reply of this.#parser.push(chunk)) this.#replies.push(reply)
      this.#said += chunk.length
      if (this.#said > MAX_SAID) throw new ProtocolError('the server says too much')
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
    const limit = performance.now() + withinMs
    let timer: NodeJS.Timeout | undefined
    try {
      while (!good()) {
        if (this.#fault !== null) throw this.#fault
        const left = limit - performance.now()
        if (left <= 0) throw new ProtocolError(`no answer within ${withinMs} ms`)
        await new Promise<void>((resolve) => {
          this.#wake = resolve
          timer = setTimeout(resolve, left)
        })
        clearTimeout(timer)
      }
    } finally {
      clearTimeout(timer)
    }
  }
}
