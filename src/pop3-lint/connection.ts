/**
 * A POP3 server as bytes: lines in, lines out, over TCP or TLS. It believes nothing: every wait has
 * an end, every line and body a limit, and what does not come is an error with a name.
 */
import { connect as connectTcp, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Target } from './target.js'

/** Octets of one line; far above what a mail may have, for servers that do not care. */
const MAX_LINE = 4 * 1024 * 1024
/** Octets of a multi-line response. */
const MAX_BODY = 64 * 1024 * 1024
/** Octets that wait to be read; then the server has to wait. */
const MAX_INBOX = 1024 * 1024
/** Octets that are kept of what comes until a connection ends. */
const MAX_REST = 65_536
const LF = 10
const CR = 13
const DOT = 46

/** The server said nothing in time, hung up, or never ended its line. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

/** There is no server, or none that speaks TLS as it was asked to. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** One line from the server. */
export interface Line {
  /** Latin-1, without its line end. */
  readonly text: string
  /** False when it ended in a bare LF. */
  readonly crlf: boolean
}

export class Connection {
  #socket: Socket
  readonly #target: Target
  #inbox: Buffer = Buffer.alloc(0)
  #ended = false
  #wake: () => void = () => {}

  private constructor(socket: Socket, target: Target) {
    this.#socket = socket
    this.#target = target
    this.#attach(socket)
  }

  /** @throws Unreachable */
  static async open(target: Target): Promise<Connection> {
    const { host, port } = target
    const socket = connectTcp({ host, port, noDelay: true })
    await ready(socket, 'connect', target)
    const connection = new Connection(socket, target)
    if (target.security === 'tls') await connection.secure(target.verify)
    return connection
  }

  /** True once the server has hung up and all that it said is read. */
  get over(): boolean {
    return this.#ended && this.#inbox.length === 0
  }

  /** Begins TLS, and forgets what was said in clear. @throws Unreachable */
  async secure(verify: boolean): Promise<void> {
    const { host } = this.#target
    for (const event of ['data', 'end', 'close']) this.#socket.removeAllListeners(event)
    this.#inbox = Buffer.alloc(0)
    const servername = isIP(host) === 0 ? { servername: host } : { host }
    const secure = connectTls({ socket: this.#socket, rejectUnauthorized: verify, ...servername })
    await ready(secure, 'secureConnect', this.#target)
    this.#socket = secure
    this.#attach(secure)
  }

  send(bytes: string): void {
    this.#socket.write(Buffer.from(bytes, 'latin1'))
  }

  /** @throws NoAnswer */
  async line(patienceMs = this.#target.timeoutMs): Promise<Line> {
    const bytes = await this.#rawLine(patienceMs)
    const crlf = bytes[bytes.length - 2] === CR
    return { text: bytes.toString('latin1', 0, bytes.length - (crlf ? 2 : 1)), crlf }
  }

  /** A multi-line response as it stands on the wire, without the line that ends it. @throws NoAnswer */
  async body(): Promise<Buffer> {
    const lines: Buffer[] = []
    let size = 0
    for (;;) {
      const line = await this.#rawLine(this.#target.timeoutMs)
      if (isEnd(line)) return Buffer.concat(lines)
      lines.push(line)
      size += line.length
      if (size > MAX_BODY) throw new NoAnswer(`a response of more than ${MAX_BODY} octets`)
    }
  }

  /** All that comes until the server hangs up. @throws NoAnswer when it does not */
  async rest(): Promise<string> {
    const late = performance.now() + this.#target.timeoutMs
    let text = ''
    for (;;) {
      text = `${text}${this.#inbox.toString('latin1')}`.slice(0, MAX_REST)
      this.#inbox = Buffer.alloc(0)
      if (this.#ended) return text
      await this.#more(late, 'the connection stays open')
    }
  }

  /** Hangs up at once. */
  close(): void {
    this.#socket.destroy()
  }

  async #rawLine(patienceMs: number): Promise<Buffer> {
    const late = performance.now() + patienceMs
    let seen = 0
    for (;;) {
      const at = this.#inbox.indexOf(LF, seen)
      if (at !== -1) return this.#take(at + 1)
      seen = this.#inbox.length
      if (seen > MAX_LINE) throw new NoAnswer(`a line of more than ${MAX_LINE} octets`)
      await this.#more(late, 'no answer')
    }
  }

  #take(length: number): Buffer {
    const taken = this.#inbox.subarray(0, length)
    this.#inbox = this.#inbox.subarray(length)
    return taken
  }

  async #more(late: number, what: string): Promise<void> {
    if (this.#ended) throw new NoAnswer('the server hung up')
    const left = late - performance.now()
    if (left <= 0) throw new NoAnswer(`${what} for ${this.#target.timeoutMs / 1000} s`)
    this.#socket.resume()
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      timer = setTimeout(resolve, left)
    })
    clearTimeout(timer)
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#inbox = this.#inbox.length === 0 ? chunk : Buffer.concat([this.#inbox, chunk])
      if (this.#inbox.length > MAX_INBOX) socket.pause()
      this.#wake()
    })
    const over = (): void => {
      this.#ended = true
      this.#wake()
    }
    for (const event of ['end', 'close', 'error']) socket.on(event, over)
  }
}

function isEnd(line: Buffer): boolean {
  if (line[0] !== DOT) return false
  return line.length === 2 || (line.length === 3 && line[1] === CR)
}

/** Waits until the socket is usable. @throws Unreachable */
async function ready(socket: Socket, event: string, target: Target): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once(event, () => resolve())
      socket.once('error', reject)
      socket.once('close', () => reject(new Error('closed by the server')))
      timer = setTimeout(() => reject(new Error('no answer in time')), target.timeoutMs)
    })
  } catch (error) {
    socket.on('error', () => {})
    socket.destroy()
    const what = error instanceof Error ? error.message : String(error)
    throw new Unreachable(`${target.host} port ${target.port}: ${what}`, { cause: error })
  } finally {
    clearTimeout(timer)
  }
}
