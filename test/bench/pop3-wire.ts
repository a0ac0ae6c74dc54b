/**
 * A POP3 connection of a load driver. It looks for the ends of answers where the kernel
 * put the bytes, and keeps none of them: the driver must not be what is measured.
 */
import { type Socket, connect } from 'node:net'

const CR = 13
const LF = 10
const MINUS = 45
const END = Buffer.from('\r\n.\r\n')
/** The line before a body has brought the first two octets of its end: a body may be empty. */
const LINE_END = 2
/** Commands that are under way at once, where a client may send them so (RFC 2449 section 6.6). */
const DEPTH = 32
/** All connections read into this, one after the other. */
const SHARED = Buffer.alloc(262_144)

interface Waiting {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

export class Pop3Wire {
  /** Octets that came. */
  octets = 0

  readonly #socket: Socket
  #waiting: Waiting | null = null
  /** The line being heard, or the last one; only where a single one was asked for. */
  #text = ''
  #left = 0
  #bodied = false
  #inBody = false
  #inLine = false
  /** Octets of a body's end that the last chunk brought. */
  #matched = 0
  #progress: () => void = () => {}
  #still = false

  constructor(port: number) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      noDelay: true,
      onread: { buffer: SHARED, callback: (size) => this.#heard(SHARED.subarray(0, size)) },
    })
    this.#socket.on('error', (error) => this.#fail(error))
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')))
  }

  /** Greeted by a server. */
  static async to(port: number): Promise<Pop3Wire> {
    const wire = new Pop3Wire(port)
    await wire.answers(1, false)
    return wire
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1')
  }

  /** Sends one command. @returns its answer of one line. @throws when it is -ERR */
  async ask(command: string): Promise<string> {
    this.#text = ''
    this.send(`${command}\r\n`)
    await this.answers(1, false)
    return this.#text
  }

  /** The same for an answer of many lines. */
  list(command: string): Promise<void> {
    this.send(`${command}\r\n`)
    return this.answers(1, true)
  }

  /** Waits for answers. @param bodied whether they have many lines. @throws at an -ERR */
  answers(count: number, bodied: boolean): Promise<void> {
    this.#left = count
    this.#bodied = bodied
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  /** `VERB 1` to `VERB count`, some of them always under way. */
  async pipelined(verb: string, count: number, bodied: boolean): Promise<void> {
    let sent = 0
    this.#progress = () => {
      let commands = ''
      for (const most = Math.min(count, count - this.#left + DEPTH); sent < most;) {
        commands += `${verb} ${++sent}\r\n`
      }
      if (commands !== '') this.send(commands)
    }
    const done = this.answers(count, bodied)
    this.#progress()
    await done
    this.#progress = () => {}
  }

  /** Asks for a message and reads no more than its beginning. @throws when it is -ERR */
  async stall(command: string): Promise<void> {
    this.#still = true
    await this.ask(command)
  }

  close(): void {
    this.#waiting = null
    this.#socket.destroy()
  }

  /** @returns false to read no more */
  #heard(chunk: Buffer): boolean {
    this.octets += chunk.length
    for (let at = 0; at < chunk.length && this.#left > 0;) {
      at = this.#inBody ? this.#body(chunk, at) : this.#line(chunk, at)
    }
    this.#progress()
    if (this.#left === 0) this.#waiting?.resolve()
    return !this.#still
  }

  /** @returns where it ends in this chunk */
  #line(chunk: Buffer, at: number): number {
    if (!this.#inLine && chunk[at] === MINUS)
      this.#fail(new Error(chunk.toString('latin1', at, at + 200)))
    const end = chunk.indexOf(LF, at)
    if (this.#left === 1 && !this.#bodied) {
      this.#text += chunk.toString('latin1', at, end === -1 ? chunk.length : end + 1)
    }
    this.#inLine = end === -1
    if (this.#inLine) return chunk.length
    if (this.#bodied) {
      this.#inBody = true
      this.#matched = LINE_END
    } else this.#left--
    return end + 1
  }

  #body(chunk: Buffer, from: number): number {
    let at = from
    while (this.#matched > 0 && at < chunk.length) {
      this.#match(chunk[at++]!)
      if (this.#matched === END.length) return this.#ended(at)
    }
    if (at === chunk.length) return at
    const end = chunk.indexOf(END, at)
    if (end !== -1) return this.#ended(end + END.length)
    for (const octet of chunk.subarray(Math.max(at, chunk.length - END.length + 1))) {
      this.#match(octet)
    }
    return chunk.length
  }

  /** No part of the end but its first octet can begin anew where another part broke off. */
  #match(octet: number): void {
    if (octet === END[this.#matched]) this.#matched++
    else this.#matched = octet === CR ? 1 : 0
  }

  #ended(at: number): number {
    this.#inBody = false
    this.#matched = 0
    this.#left--
    return at
  }

  #fail(error: Error): void {
    this.#waiting?.reject(error)
    this.#waiting = null
  }
}
