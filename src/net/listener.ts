/** Accepts clients at one endpoint and serves each with a session of its own. */
import { createServer, type Server, type Socket } from 'node:net'
import type { Peer } from '../cred/credentials.js'
import type { Counter } from '../metrics/metrics.js'
import { adopt, bind } from './bind.js'
import { type Endpoint, formatEndpoint, formatHostPort } from './endpoint.js'
import { Guest, type GuestOptions } from './guest.js'
import { Refusals } from './refusals.js'
import { Wire } from './wire.js'

/** How often deadlines are looked at. */
const SWEEP_MS = 1_000
/** How long `stop()` lets running work finish. */
const DRAIN_MS = 30_000
/** After that, running work is cut off, and what does not even end then is left behind. */
const GRACE_MS = 2_000

export interface ListenerOptions extends GuestOptions {
  readonly endpoint: Endpoint
  /** `smtp`, `pop3`: for logs and for the peer that a session sees. */
  readonly protocol: string
  /** Asked for each client, so that a reload can change it. */
  maxConnections(): number
  /** The descriptor of a socket that this process inherited and that is bound there; without it one is made. */
  readonly inherited?: number
  /** Counts clients, those included that are turned away. */
  readonly accepted?: Counter
  /** How long `stop()` lets running work finish; 30 s if nothing is said. */
  readonly drainMs?: number
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  readonly #refusals: Refusals
  readonly #guests = new Map<Guest, Promise<void>>()
  /** Clients lost before they were here, since the log last told of it, and why the last one was. */
  #lost = { clients: 0, reason: '' }
  #sweeper: NodeJS.Timeout | null = null
  #stopped: Promise<void> | null = null

  constructor(options: ListenerOptions) {
    this.#options = options
    this.#refusals = new Refusals(options)
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) =>
      this.#accept(socket),
    )
  }

  /** Where it listens in fact: with the port that the system chose for port 0. */
  get address(): string {
    const address = this.#server.address()
    if (address === null || typeof address === 'string')
      return formatEndpoint(this.#options.endpoint)
    const all = this.#options.endpoint.kind === 'tcp' && this.#options.endpoint.host === null
    return all ? `*:${address.port}` : formatHostPort(address.address, address.port)
  }

  get port(): number | null {
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? null : address.port
  }

  /** Clients that are served now. */
  get sessions(): number {
    return this.#guests.size
  }

  /** @throws ListenError with the system's code (EADDRINUSE, EACCES, …) */
  async start(): Promise<void> {
    const { inherited, endpoint, protocol } = this.#options
    if (inherited === undefined) await bind(this.#server, endpoint, protocol)
    else await adopt(this.#server, inherited, endpoint, protocol)
    // A failure to accept (no descriptor left) is one client's, not the server's.
    this.#server.on('error', ({ message }) => {
      this.#lost = { clients: this.#lost.clients + 1, reason: message }
    })
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
  }

  /** Takes no new client, lets running work finish for 30 s at most. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#drain())
  }

  #accept(socket: Socket): void {
    this.#options.accepted?.add()
    const wire = new Wire(socket)
    const peer = this.#peer(socket)
    if (peer === null) return wire.destroy()
    const { endpoint, doorkeeper } = this.#options
    const full = this.#guests.size >= this.#options.maxConnections()
    if (full) return this.#turnAway(wire, peer, 'listener')
    if (doorkeeper.short()) return this.#turnAway(wire, peer, 'descriptors')
    const isProxy = endpoint.kind === 'tcp' && endpoint.proxies?.has(peer.address) === true
    const guest = new Guest(wire, this.#options, this.#refusals)
    this.#guests.set(
      guest,
      guest.run(peer, isProxy).finally(() => this.#guests.delete(guest)),
    )
  }

  /** Nobody waits for those who are turned away here, and they count for nothing. */
  #turnAway(wire: Wire, peer: Peer, why: 'listener' | 'descriptors'): void {
    void this.#refusals.turnAway(wire, peer, why)
  }

  /** @returns `null` for a client that has gone already: without its address it must not be taken for a local one */
  #peer(socket: Socket): Peer | null {
    const { endpoint, protocol, implicitTls } = this.#options
    const { remoteAddress, remotePort = 0 } = socket
    if (remoteAddress === undefined && endpoint.kind === 'tcp') return null
    const address = (remoteAddress ?? '').replace(/^::ffff:(?=\d+\.)/, '')
    return { address, port: remotePort, protocol, secure: implicitTls }
  }

  #sweep(): void {
    const now = performance.now()
    for (const guest of this.#guests.keys()) guest.sweep(now)
    this.#refusals.report()
    if (this.#lost.clients === 0) return
    this.#options.log.error('net accept failed', { ...this.#lost })
    this.#lost = { clients: 0, reason: '' }
  }

  async #drain(): Promise<void> {
    this.#server.close()
    for (const guest of this.#guests.keys()) guest.stop()
    const ended = Promise.all(this.#guests.values())
    if (!(await within(this.#options.drainMs ?? DRAIN_MS, ended))) {
      for (const guest of this.#guests.keys()) guest.destroy()
      // A disk that hangs must not keep the server from ending.
      if (!(await within(GRACE_MS, ended))) {
        this.#options.log.error('net work left behind', { sessions: this.#guests.size })
      }
    }
    if (this.#sweeper !== null) clearInterval(this.#sweeper)
  }
}

/** True if the work ended in time. */
async function within(patienceMs: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), patienceMs)
  })
  const inTime = await Promise.race([work.then(() => true), late])
  clearTimeout(timer)
  return inTime
}
