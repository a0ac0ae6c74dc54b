/** A mail server on this machine that takes whatever comes and tells a test of it: small, so that it can take much. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'

const OFFERS = '250-sink.test\r\n250-PIPELINING\r\n250-SIZE 100000000\r\n250 8BITMIME\r\n'
const END = '\r\n.\r\n'

/** @param text as on the wire, without the final dot @returns the reply; `null` = it hangs up instead */
export type Taker = (text: string, from: string) => string | null | Promise<string | null>

export class MailSink {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(server: Server) {
    this.#server = server
    this.port = (server.address() as AddressInfo).port
  }

  /** On a free port of 127.0.0.1. */
  static async start(taker: Taker): Promise<MailSink> {
    const server = createServer({ noDelay: true }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    const sink = new MailSink(server)
    server.on('connection', (socket) => {
      sink.#sockets.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => sink.#sockets.delete(socket))
      new Conversation(socket, taker).begin()
    })
    return sink
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}

class Conversation {
  readonly #socket: Socket
  readonly #taker: Taker
  #rest = ''
  /** Where the end of the message was not found yet; -1 = commands are expected. */
  #searched = -1
  #from = ''
  #busy = false

  constructor(socket: Socket, taker: Taker) {
    this.#socket = socket
    this.#taker = taker
  }

  begin(): void {
    this.#socket.setEncoding('latin1')
    this.#socket.on('data', (text: string) => {
      this.#rest += text
      if (!this.#busy) void this.#go()
    })
    this.#socket.write('220 sink.test ESMTP\r\n')
  }

  async #go(): Promise<void> {
    this.#busy = true
    while (this.#searched === -1 ? this.#commands() : await this.#content());
    this.#busy = false
  }

  /** All that are there, answered in one write. @returns true = a message follows */
  #commands(): boolean {
    let replies = ''
    for (let end = this.#rest.indexOf('\r\n'); end !== -1; end = this.#rest.indexOf('\r\n')) {
      const line = this.#rest.slice(0, end)
      this.#rest = this.#rest.slice(end + 2)
      replies += this.#reply(line)
      if (this.#searched !== -1) break
    }
    if (replies !== '') this.#socket.write(replies)
    return this.#searched !== -1
  }

  #reply(line: string): string {
    switch (line.slice(0, 4).toUpperCase()) {
      case 'EHLO':
        return OFFERS
      case 'MAIL':
        this.#from = /<([^>]*)>/.exec(line)?.[1] ?? ''
        return '250 2.1.0 ok\r\n'
      case 'DATA':
        this.#searched = 0
        return '354 go on\r\n'
      case 'QUIT':
        return '221 2.0.0 bye\r\n'
      default:
        return '250 2.0.0 ok\r\n'
    }
  }

  /** @returns true = it was there as a whole */
  async #content(): Promise<boolean> {
    const end = this.#rest.indexOf(END, this.#searched)
    if (end === -1) {
      this.#searched = Math.max(0, this.#rest.length - END.length)
      return false
    }
    const text = this.#rest.slice(0, end + 2)
    this.#rest = this.#rest.slice(end + END.length)
    this.#searched = -1
    const reply = await this.#taker(text, this.#from)
    if (reply === null) this.#socket.destroy()
    else this.#socket.write(`${reply}\r\n`)
    return true
  }
}
