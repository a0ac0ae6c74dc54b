/**
 * A socket as a connection needs it: chunks in when asked for, bytes out when
 * there is room, TLS on demand. Every wait has a deadline.
 */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { Certificates } from './certificates.js'
import { channelBinding } from './channel-binding.js'
import type { TlsFacts } from './session.js'

/** Input that may gather while answers are worked on; then the client has to wait. */
const MAX_INBOX = 65_536
/** A client that reads nothing for this long is gone (RFC 5321 section 4.5.3.2, RFC 1939 section 3). */
const WRITE_PATIENCE_MS = 600_000
/** Time for the TLS handshake: the sweep comes late by a second or two, and 30 are enough for anybody. */
const HANDSHAKE_MS = 27_000
/** After our last words, time for the client to read them and to close. */
const LINGER_MS = 2_000

type Waiting = 'nothing' | 'pause' | 'input' | 'reader' | 'handshake' | 'end'

const NOBODY = (): void => {}

export class Wire {
  #socket: Socket
  #inbox: Buffer[] = []
  #inboxSize = 0
  #waiting: Waiting = 'nothing'
  #deadline = Infinity
  /** Tells whoever waits that it is over, and whether there is input. */
  #tell: (hasInput: boolean) => void = NOBODY
  #ended = false
  #gone = false
  #late = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.#attach(socket)
  }

  /** True when the client can no longer be reached. */
  get gone(): boolean {
    return this.#gone
  }

  /** True if input has come that was not taken yet. */
  get hasInput(): boolean {
    return this.#inboxSize > 0
  }

  /** True if the last `input()` gave up because the client was too slow. */
  get late(): boolean {
    return this.#late
  }

  /** What has come so far, without waiting. */
  take(): Buffer {
    const bytes = this.#inbox.length === 1 ? this.#inbox[0]! : Buffer.concat(this.#inbox)
    this.#inbox = []
    this.#inboxSize = 0
    return bytes
  }

  /** Puts back what was taken too much of, to be taken again first. */
  giveBack(bytes: Buffer): void {
    if (bytes.length === 0) return
    this.#inbox.unshift(bytes)
    this.#inboxSize += bytes.length
  }

  /** Waits for input until `deadline`. False when there is none to come, it is late, or `interrupt()` was called. */
  input(deadline: number): boolean | Promise<boolean> {
    if (this.hasInput) return true
    if (this.#gone || this.#ended) return false
    if (this.#socket.isPaused()) this.#socket.resume()
    return this.#wait('input', deadline)
  }

  /** Does nothing for about so many milliseconds; less if the client goes or `interrupt()` is called. */
  async pause(milliseconds: number): Promise<void> {
    if (!this.#gone) await this.#wait('pause', performance.now() + milliseconds)
  }

  /** Ends a wait for input, or a pause, before its time. */
  interrupt(): void {
    if (this.#waiting === 'input' || this.#waiting === 'pause') this.#wake()
    if (this.#waiting === 'handshake') this.destroy()
  }

  /**
   * Writes. @returns `null` if the system has taken all of it; else a promise that it has, or that
   * the client is gone: so long the memory must stay as it is, as the client is slower than we are
   */
  write(...pieces: readonly Buffer[]): Promise<void> | null {
    if (this.#gone) return null
    if (pieces.length > 1) this.#socket.cork()
    for (const piece of pieces) this.#socket.write(piece, this.#written)
    if (pieces.length > 1) this.#socket.uncork()
    if (this.#gone || this.#socket.writableLength === 0) return null
    return this.#wait('reader', performance.now() + WRITE_PATIENCE_MS).then(NOBODY)
  }

  /**
   * Becomes TLS after sending `farewell`, the last bytes in clear. Input that
   * came before them can only be an injection (CVE-2011-0411): the client is
   * dropped. What comes later in clear fails as a handshake. Without a farewell
   * it is TLS from the first byte, and what came is the handshake.
   * @returns `null` when it failed; the wire is gone then
   */
  async secure(farewell: Buffer, certificates: Certificates): Promise<TlsFacts | null> {
    const plain = this.#socket
    plain.pause()
    plain.removeAllListeners('data')
    if (this.hasInput && farewell.length > 0) this.destroy()
    if (this.#gone) return null
    if (farewell.length > 0) plain.write(farewell)
    if (this.hasInput) plain.unshift(this.take())
    const tls = new TLSSocket(plain, {
      isServer: true,
      secureContext: certificates.otherwise,
      // It gets whatever a client says; an error thrown here would end the process (CVE-2026-21637).
      SNICallback: (name, chosen) => chosen(null, certificates.choose(name)),
    })
    this.#attach(tls)
    this.#socket = tls
    tls.once('secure', () => this.#wake())
    await this.#wait('handshake', performance.now() + HANDSHAKE_MS)
    if (this.#gone) return null
    return {
      version: tls.getProtocol() ?? 'TLS',
      cipher: tls.getCipher().standardName,
      channelBinding: (type) => channelBinding(tls, type),
    }
  }

  /** Ends our side, gives the client a moment to read what was said and to hang up, and is gone. */
  async close(): Promise<void> {
    if (this.#gone) return
    // Unread input would make the kernel send a reset that overtakes our last words.
    this.#socket.removeAllListeners('data')
    this.#socket.resume()
    await this.#within(WRITE_PATIENCE_MS, new Promise<void>((resolve) => this.#socket.end(resolve)))
    if (!this.#ended && !this.#gone) await this.#within(LINGER_MS, this.#wait('end', Infinity))
    this.destroy()
  }

  destroy(): void {
    this.#gone = true
    this.#socket.destroy()
    this.#wake()
  }

  /** Called now and then: whoever was too slow for what is being waited for is not waited for any longer. */
  sweep(now: number): void {
    if (now < this.#deadline) return
    this.#deadline = Infinity
    this.#late = this.#waiting === 'input'
    if (this.#waiting === 'reader' || this.#waiting === 'handshake') return this.destroy()
    this.#wake()
  }

  /** The sweep comes too seldom, and not at all to those who were never served. */
  async #within(patienceMs: number, work: Promise<unknown>): Promise<void> {
    const timer = setTimeout(() => this.destroy(), patienceMs)
    await work
    clearTimeout(timer)
  }

  #attach(socket: Socket): void {
    socket.on('data', (chunk: Buffer) => this.#arrived(chunk))
    socket.on('end', () => {
      this.#ended = true
      if (this.#waiting === 'input' || this.#waiting === 'end') this.#wake()
    })
    socket.on('error', () => this.destroy())
    socket.on('close', () => this.destroy())
  }

  readonly #written = (): void => {
    if (this.#waiting === 'reader' && this.#socket.writableLength === 0) this.#wake()
  }

  #arrived(chunk: Buffer): void {
    this.#inbox.push(chunk)
    this.#inboxSize += chunk.length
    if (this.#inboxSize >= MAX_INBOX) this.#socket.pause()
    if (this.#waiting === 'input') this.#wake()
  }

  /** No async function: thousands of clients wait here for most of their time, each with what that would keep. */
  #wait(waiting: Waiting, deadline: number): Promise<boolean> {
    this.#waiting = waiting
    this.#deadline = deadline
    this.#late = false
    return new Promise((resolve) => (this.#tell = resolve))
  }

  /** Ends what is being waited for, if anything is. */
  #wake(): void {
    const tell = this.#tell
    this.#tell = NOBODY
    this.#waiting = 'nothing'
    this.#deadline = Infinity
    tell(this.hasInput)
  }
}
