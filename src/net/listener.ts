/** Accepts clients at one endpoint and serves each with a session of its own. */
import { chmod, lstat, unlink } from 'node:fs/promises'
import { createServer, connect, type Server, type Socket } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { Peer } from '../cred/credentials.js'
import type { Log } from '../log/log.js'
import { Connection } from './connection.js'
import { type Endpoint, formatEndpoint, formatHostPort } from './endpoint.js'
import type { Session } from './session.js'
import { Wire } from './wire.js'

/** How often deadlines are looked at. */
const SWEEP_MS = 1_000
/** Connections that wait in the kernel to be accepted. */
const BACKLOG = 1_024
/** How long `stop()` lets running work finish. */
const DRAIN_MS = 30_000
/** After that, running work is cut off, and what does not even end then is left behind. */
const GRACE_MS = 2_000
/** Clients above the limit that are being told so at the same time; others are cut off without a word. */
const MAX_REFUSALS = 100

export interface ListenerOptions {
  readonly endpoint: Endpoint
  /** `smtp`, `pop3`: for logs and for the peer that a session sees. */
  readonly protocol: string
  readonly session: (peer: Peer) => Session
  readonly implicitTls: boolean
  readonly secureContext: () => SecureContext | null
  /** Asked for each client, so that a reload can change it. */
  maxConnections(): number
  readonly log: Log
  /** How long `stop()` lets running work finish; 30 s if nothing is said. */
  readonly drainMs?: number
}

export class Listener {
  readonly #options: ListenerOptions
  readonly #server: Server
  readonly #connections = new Map<Connection, Promise<void>>()
  #refusing = 0
  /** Clients turned away since the log last told of it. */
  #refused = 0
  #sweeper: NodeJS.Timeout | null = null
  #stopped: Promise<void> | null = null

  constructor(options: ListenerOptions) {
    this.#options = options
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

  /** @throws ListenError with the system's code (EADDRINUSE, EACCES, …) */
  async start(): Promise<void> {
    const { endpoint } = this.#options
    try {
      if (endpoint.kind === 'unix') await removeDeadSocket(endpoint.path)
      await this.#bind(endpoint)
      if (endpoint.kind === 'unix') await chmod(endpoint.path, endpoint.mode)
    } catch (error) {
      this.#server.close()
      throw new ListenError(this.#options.protocol, endpoint, error)
    }
    // A failure to accept (no descriptor left) is one client's, not the server's.
    this.#server.on('error', (error) =>
      this.#options.log.error('net accept failed', { reason: error.message }),
    )
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS)
  }

  /** Takes no new client, lets running work finish for 30 s at most. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#drain())
  }

  async #bind(endpoint: Endpoint): Promise<void> {
    if (endpoint.kind === 'unix') return listenPrivately(this.#server, endpoint.path)
    const { host, port } = endpoint
    if (host !== null) return listen(this.#server, { host, port })
    try {
      await listen(this.#server, { host: '::', port })
    } catch (error) {
      // A machine without IPv6.
      if (!['EAFNOSUPPORT', 'EADDRNOTAVAIL'].includes(codeOf(error))) throw error
      await listen(this.#server, { host: '0.0.0.0', port })
    }
  }

  #accept(socket: Socket): void {
    const wire = new Wire(socket)
    const peer = this.#peer(socket)
    if (this.#connections.size >= this.#options.maxConnections()) return this.#refuse(wire, peer)
    const connection = new Connection({
      wire,
      session: this.#options.session(peer),
      log: this.#options.log,
      implicitTls: this.#options.implicitTls,
      secureContext: this.#options.secureContext,
    })
    this.#connections.set(
      connection,
      connection.run().finally(() => this.#connections.delete(connection)),
    )
  }

  /** Too many clients already: says so on a plain port, and goes. */
  #refuse(wire: Wire, peer: Peer): void {
    this.#refused++
    if (this.#options.implicitTls || this.#refusing >= MAX_REFUSALS) return wire.destroy()
    this.#refusing++
    const session = this.#options.session(peer)
    void wire
      .write(session.farewell('too-many'))
      .then(() => wire.close())
      .finally(() => {
        this.#refusing--
        void session.closed()
      })
  }

  #peer(socket: Socket): Peer {
    return {
      address: (socket.remoteAddress ?? '').replace(/^::ffff:(?=\d)/, ''),
      port: socket.remotePort ?? 0,
      protocol: this.#options.protocol,
      secure: this.#options.implicitTls,
    }
  }

  #sweep(): void {
    const now = performance.now()
    for (const connection of this.#connections.keys()) connection.sweep(now)
    if (this.#refused === 0) return
    const { log, protocol } = this.#options
    log.warn('net too many connections', { protocol, refused: this.#refused })
    this.#refused = 0
  }

  async #drain(): Promise<void> {
    this.#server.close()
    for (const connection of this.#connections.keys()) connection.stop()
    const ended = Promise.all(this.#connections.values())
    if (!(await within(this.#options.drainMs ?? DRAIN_MS, ended))) {
      for (const connection of this.#connections.keys()) connection.destroy()
      // A disk that hangs must not keep the server from ending.
      if (!(await within(GRACE_MS, ended))) {
        this.#options.log.error('net work left behind', { sessions: this.#connections.size })
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

/** Cannot listen; `code` is the system's. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
  readonly code: string
  constructor(protocol: string, endpoint: Endpoint, cause: unknown) {
    super(`cannot listen for ${protocol} on ${formatEndpoint(endpoint)}: ${explain(cause)}`, {
      cause,
    })
    this.code = codeOf(cause)
  }
}

function explain(cause: unknown): string {
  switch (codeOf(cause)) {
    case 'EADDRINUSE':
      return 'another program listens there; stop it or choose another port'
    case 'EACCES':
      return 'no permission; ports below 1024 need root or CAP_NET_BIND_SERVICE'
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address'
    default:
      return cause instanceof Error ? cause.message : String(cause)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}

function listen(
  server: Server,
  where: { path: string } | { host: string; port: number },
): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ ...where, backlog: BACKLOG }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

/** Nobody but the owner can connect before the socket has the mode that it shall have. */
function listenPrivately(server: Server, path: string): Promise<void> {
  const before = process.umask(0o177)
  try {
    return listen(server, { path })
  } finally {
    process.umask(before)
  }
}

/** A socket file that nobody listens on any more, left by a crash, is in the way. Anything else there is not ours to remove. */
async function removeDeadSocket(path: string): Promise<void> {
  const stat = await lstat(path).catch(() => null)
  if (stat === null || !stat.isSocket() || (await answers(path))) return
  await unlink(path)
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.on('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'))
  })
}
