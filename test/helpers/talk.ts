/**
 * A conversation over a real socket, byte for byte: what is sent is said exactly so, what is heard
 * is not interpreted.
 */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, TLSSocket } from 'node:tls'

/** Far more than a loaded machine needs; a test that hangs shall say where. */
const PATIENCE_MS = 20_000
const END_OF_TEXT = Buffer.from('\r\n.\r\n')

export class Talk {
  #socket: Socket
  #heard: Buffer = Buffer.alloc(0)
  #pieces: Buffer[] = []
  #ended = false
  #changed: () => void = () => {}
  #drained: () => void = () => {}

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#attach(socket)
  }

  static async to(port: number): Promise<Talk> {
    const talk = new Talk(connectTcp({ port, host: '127.0.0.1', noDelay: true }))
    await once(talk.#socket, 'connect')
    return talk
  }

  /** TLS from the first byte. */
  static async securely(port: number): Promise<Talk> {
    const talk = await Talk.to(port)
    await talk.secure()
    return talk
  }

  /** True once the other side has said that nothing more will come. */
  get ended(): boolean {
    return this.#ended
  }

  /** SHA-256 of the server's certificate; empty in clear. */
  get fingerprint(): string {
    return this.#socket instanceof TLSSocket ? this.#socket.getPeerCertificate().fingerprint256 : ''
  }

  send(bytes: string | Buffer): void {
    this.#socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Sends, and waits while the other side is slower. */
  async sendAll(bytes: Buffer): Promise<void> {
    if (this.#ended || this.#socket.write(bytes)) return
    await new Promise<void>((resolve) => (this.#drained = resolve))
  }

  /** One byte per write, each in a packet of its own. */
  async trickle(bytes: string | Buffer): Promise<void> {
    for (const byte of Buffer.from(bytes as string, 'latin1')) {
      if (this.#ended) return
      this.#socket.write(Buffer.of(byte))
      await new Promise(setImmediate)
    }
  }

  /** How long an answer may take until the test gives up. */
  patienceMs = PATIENCE_MS

  /** The next line, without its line end. */
  async line(): Promise<string> {
    const at = await this.#find(Buffer.from('\r\n'))
    return this.#take(at, 2).toString('latin1')
  }

  /** One SMTP reply: its lines, joined by `\n`. */
  async reply(): Promise<string> {
    const lines: string[] = []
    do lines.push(await this.line())
    while (/^\d{3}-/.test(lines.at(-1)!))
    return lines.join('\n')
  }

  /** Sends a line and hears the SMTP reply, or the first line of a POP3 reply. */
  async ask(line: string): Promise<string> {
    this.send(`${line}\r\n`)
    return this.reply()
  }

  /** The text behind a POP3 `+OK`, up to the line with the dot, the stuffed dots taken off. */
  async text(): Promise<Buffer> {
    if ((await this.#at(0, 3)).equals(Buffer.from('.\r\n'))) {
      this.#take(0, 3)
      return Buffer.alloc(0)
    }
    const at = await this.#find(END_OF_TEXT)
    const stuffed = this.#take(at + 2, 3).toString('latin1')
    return Buffer.from(stuffed.replace(/(^|\r\n)\./g, '$1'), 'latin1')
  }

  /** All that comes until the other side closes, however it does. */
  async rest(): Promise<string> {
    while (!this.#ended) await this.#change('the end of the connection')
    return this.#take(this.#all().length, 0).toString('latin1')
  }

  /** What has been heard so far and not been taken. */
  sofar(): string {
    return this.#all().toString('latin1')
  }

  /** Begins TLS. @throws Error when the handshake fails */
  async secure(): Promise<void> {
    const plain = this.#socket
    plain.removeAllListeners('data')
    const tls = connectTls({ socket: plain, rejectUnauthorized: false })
    this.#attach(tls)
    this.#socket = tls
    await new Promise<void>((resolve, reject) => {
      tls.once('secureConnect', resolve)
      tls.once('error', reject)
      tls.once('close', () => reject(new Error('closed during the TLS handshake')))
      setTimeout(() => reject(new Error('TLS handshake too slow')), PATIENCE_MS).unref()
    })
  }

  /** Hangs up at once. */
  close(): void {
    this.#socket.destroy()
  }

  /** Hangs up as a machine does that has crashed: the other side hears RST. */
  reset(): void {
    this.#socket.resetAndDestroy()
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.#pieces.push(chunk)
      this.#changed()
    })
    const over = (): void => {
      this.#ended = true
      this.#changed()
      this.#drained()
    }
    socket.on('drain', () => this.#drained())
    socket.on('end', over)
    socket.on('close', over)
    socket.on('error', over)
  }

  #all(): Buffer {
    if (this.#pieces.length > 0) this.#heard = Buffer.concat([this.#heard, ...this.#pieces])
    this.#pieces = []
    return this.#heard
  }

  #take(length: number, separator: number): Buffer {
    const taken = this.#all().subarray(0, length)
    this.#heard = this.#heard.subarray(length + separator)
    return taken
  }

  async #at(from: number, length: number): Promise<Buffer> {
    while (this.#all().length < from + length) await this.#more(`${length} bytes`)
    return this.#heard.subarray(from, from + length)
  }

  async #find(mark: Buffer): Promise<number> {
    for (;;) {
      const at = this.#all().indexOf(mark)
      if (at !== -1) return at
      await this.#more(JSON.stringify(mark.toString('latin1')))
    }
  }

  async #more(wanted: string): Promise<void> {
    if (this.#ended) throw new Error(`ended; wanted ${wanted}, heard ${this.#excerpt()}`)
    await this.#change(wanted)
  }

  async #change(wanted: string): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    await new Promise<void>((resolve, reject) => {
      this.#changed = resolve
      const late = (): void => reject(new Error(`no ${wanted}; heard ${this.#excerpt()}`))
      timer = setTimeout(late, this.patienceMs)
    }).finally(() => clearTimeout(timer))
  }

  #excerpt(): string {
    return JSON.stringify(this.#all().subarray(-300).toString('latin1'))
  }
}
