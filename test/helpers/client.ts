/** A client that sends bytes and collects what comes back. */
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls'

export class Client {
  socket: Socket | TLSSocket
  heard = ''
  ended = false
  #changed: () => void = () => {}

  constructor(socket: Socket) {
    this.socket = socket
    this.#attach(socket)
  }

  static async to(port: number): Promise<Client> {
    const client = new Client(connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true }))
    await once(client.socket, 'connect')
    return client
  }

  send(bytes: string | Buffer): void {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
  }

  /** Waits until what was heard so far ends with that text; then begins to listen anew. */
  async hear(text: string): Promise<void> {
    while (!this.heard.endsWith(text)) {
      if (this.ended) throw new Error(`ended after ${JSON.stringify(this.heard)}`)
      await this.#change()
    }
    this.heard = ''
  }

  /** Waits for the end of the connection, however it comes. @returns what was said until then */
  async end(): Promise<string> {
    while (!this.ended) await this.#change()
    return this.heard
  }

  /** Begins TLS on this connection. */
  async secure(options: ConnectionOptions = {}): Promise<TLSSocket> {
    const plain = this.socket
    plain.removeAllListeners('data')
    const tls = connectTls({ socket: plain, rejectUnauthorized: false, ...options })
    this.#attach(tls)
    this.socket = tls
    await once(tls, 'secureConnect')
    return tls
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => {
      this.heard += chunk.toString('latin1')
      this.#changed()
    })
    const over = (): void => {
      this.ended = true
      socket.destroy()
      this.#changed()
    }
    socket.on('end', over)
    socket.on('close', over)
    socket.on('error', over)
  }

  #change(): Promise<void> {
    return new Promise((resolve) => (this.#changed = resolve))
  }
}
