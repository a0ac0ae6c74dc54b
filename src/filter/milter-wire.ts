/**
 * Packets to and from a milter: four octets of length, one letter of command,
 * data. One connection per message; whatever happens on it, it has an end in time.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Where a milter listens. */
export type MilterEndpoint =
  | { readonly path: string }
  | { readonly host: string; readonly port: number }

export interface Packet {
  readonly command: string
  readonly data: Buffer
}

/** Octets of length before each packet. */
const HEAD = 4
/** Octets of a packet that a milter sends: it answers with header fields and reply texts. */
const MAX_PACKET = 1_048_576

export class MilterWire {
  readonly #socket: Socket
  readonly #chunks: AsyncIterator<Buffer, undefined>
  readonly #timer: NodeJS.Timeout
  #heard: Buffer = Buffer.alloc(0)

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket
    // Whoever waits hears of it through what it waits for.
    socket.on('error', () => {})
    this.#chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
    const late = (): unknown => socket.destroy(new Error(`not done after ${timeoutMs} ms`))
    this.#timer = setTimeout(late, timeoutMs)
  }

  /**
   * @param timeoutMs for everything, connecting included
   * @throws Error
   */
  static async open(endpoint: MilterEndpoint, timeoutMs: number): Promise<MilterWire> {
    const socket = connect({ ...endpoint, noDelay: true })
    const wire = new MilterWire(socket, timeoutMs)
    try {
      await once(socket, 'connect')
      return wire
    } catch (error) {
      wire.close()
      throw error
    }
  }

  /** Resolves when the system has taken it: who reads slowly is waited for. @throws Error */
  send(command: string, data: Buffer = Buffer.alloc(0)): Promise<void> {
    const head = Buffer.allocUnsafe(HEAD + 1)
    head.writeUInt32BE(data.length + 1)
    head.write(command, HEAD, 'latin1')
    return new Promise((resolve, reject) => {
      const done = (error?: Error | null): void => (error ? reject(error) : resolve())
      this.#socket.write(Buffer.concat([head, data]), done)
    })
  }

  /** The next packet. @throws Error when there is none, or no good one */
  async receive(): Promise<Packet> {
    const length = (await this.#take(HEAD)).readUInt32BE()
    if (length === 0 || length > MAX_PACKET) throw new Error(`packet of ${length} octets`)
    const packet = await this.#take(length)
    return { command: packet.toString('latin1', 0, 1), data: packet.subarray(1) }
  }

  /** Ends the connection; what was sent before still goes out. */
  close(): void {
    clearTimeout(this.#timer)
    this.#socket.end(() => this.#socket.destroy())
  }

  async #take(length: number): Promise<Buffer> {
    while (this.#heard.length < length) {
      const next = await this.#chunks.next()
      if (next.done === true) throw new Error('it hung up')
      this.#heard = Buffer.concat([this.#heard, next.value])
    }
    const taken = this.#heard.subarray(0, length)
    this.#heard = this.#heard.subarray(length)
    return taken
  }
}
