/** A connection to a server that speaks in lines or counted strings, with bounds on what it may say. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

/** Octets that may wait to be read. */
const MAX_WAITING = 65_536

export class LineSocket {
  readonly #socket: Socket
  readonly #pieces: AsyncIterator<Buffer, undefined>
  #waiting = Buffer.alloc(0)

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#pieces = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer, undefined>
  }

  /** @param place the path of a UNIX socket, or `HOST:PORT` @throws Error when nobody answers there */
  static async open(place: string, signal: AbortSignal): Promise<LineSocket> {
    const [, host, port] = /^\[?([^/]+?)\]?:(\d{1,5})$/.exec(place) ?? []
    const where = host === undefined ? { path: place } : { host, port: Number(port) }
    const socket = connect({ ...where, signal })
    await once(socket, 'connect', { signal })
    const lines = new LineSocket(socket)
    socket.on('error', () => {})
    return lines
  }

  write(bytes: string | Buffer): void {
    this.#socket.write(bytes)
  }

  /** Without its line end. @throws Error when the other side hangs up, or the line is too long */
  async line(): Promise<string> {
    for (;;) {
      const at = this.#waiting.indexOf('\n')
      if (at !== -1)
        return this.#take(at + 1)
          .toString('utf8')
          .slice(0, -1)
      await this.#more()
    }
  }

  /** @throws Error when the other side hangs up first */
  async octets(count: number): Promise<Buffer> {
    while (this.#waiting.length < count) await this.#more()
    return this.#take(count)
  }

  close(): void {
    this.#socket.destroy()
  }

  #take(count: number): Buffer {
    const taken = this.#waiting.subarray(0, count)
    this.#waiting = this.#waiting.subarray(count)
    return taken
  }

  async #more(): Promise<void> {
    if (this.#waiting.length > MAX_WAITING) throw new Error('the server says too much at once')
    const piece: IteratorResult<Buffer, undefined> = await this.#pieces.next()
    if (piece.done === true) throw new Error('the server hung up')
    this.#waiting = Buffer.concat([this.#waiting, piece.value])
  }
}
