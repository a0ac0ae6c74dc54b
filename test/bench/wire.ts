/** An SMTP connection of a load driver: writes, and waits for what comes back, as cheaply as it can. */
import { once } from 'node:events'
import { type Socket, connect } from 'node:net'

const LF = 10
const DASH = 45
const ZERO = 48

function codeAt(bytes: Buffer, at: number): number {
  const [a = 0, b = 0, c = 0] = [bytes[at], bytes[at + 1], bytes[at + 2]]
  return (a - ZERO) * 100 + (b - ZERO) * 10 + (c - ZERO)
}

export class Wire {
  readonly #socket: Socket
  #buffer: Buffer = Buffer.alloc(0)
  #wake: (() => void) | null = null
  #closed = false

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('data', (chunk: Buffer) => {
      this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk])
      this.#wake?.()
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#closed = true
      this.#wake?.()
    })
  }

  static async to(port: number): Promise<Wire> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    return new Wire(socket)
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes)
  }

  /** Writes no faster than the other side reads. */
  async pour(bytes: Buffer): Promise<void> {
    if (!this.#socket.write(bytes)) await once(this.#socket, 'drain')
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    return (await this.#upTo('\r\n')).toString('latin1')
  }

  /** The text of the last line of an SMTP reply. @throws when its code is another */
  async reply(code: string): Promise<void> {
    for (;;) {
      const line = await this.line()
      if (!line.startsWith(code)) throw new Error(`${code} expected, heard: ${line}`)
      if (line[3] !== '-') return
    }
  }

  /** One reply per code, in their order, read as bytes: a driver shall not be the limit. @throws when one is another */
  async replies(...codes: readonly number[]): Promise<void> {
    let from = 0
    for (const code of codes) {
      let last = false
      while (!last) {
        const end = this.#buffer.indexOf(LF, from)
        if (end === -1) {
          await this.#more()
          continue
        }
        if (codeAt(this.#buffer, from) !== code)
          throw new Error(`${code} expected: ${this.#buffer.toString('latin1')}`)
        last = this.#buffer[from + 3] !== DASH
        from = end + 1
      }
    }
    this.#buffer = this.#buffer.subarray(from)
  }

  close(): void {
    this.#socket.destroy()
  }

  async #upTo(end: string): Promise<Buffer> {
    let searched = 0
    for (;;) {
      const at = this.#buffer.indexOf(end, searched)
      if (at !== -1) return this.#take(at, end.length)
      searched = Math.max(0, this.#buffer.length - end.length)
      await this.#more()
    }
  }

  #take(length: number, rest: number): Buffer {
    const taken = this.#buffer.subarray(0, length)
    this.#buffer = this.#buffer.subarray(length + rest)
    return taken
  }

  #more(): Promise<void> {
    if (this.#closed) throw new Error('the server closed the connection')
    return new Promise((resolve) => {
      this.#wake = resolve
    })
  }
}
