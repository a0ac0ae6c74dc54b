/**
 * The port that Prometheus and a load balancer ask: `GET /metrics` and `GET /healthz`, and nothing
 * else. Whoever asks from elsewhere than this machine must be let in by the config.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Server as NetServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { CONTENT_TYPE, exposition } from './exposition.js'
import { gathered } from './merge.js'
import type { Snapshot } from './snapshot.js'

/** Connections at once: some Prometheus servers, a load balancer, a person. */
const MAX_CONNECTIONS = 16
/** Milliseconds for a request to come in as a whole. */
const REQUEST_MS = 10_000
/** Milliseconds between two requests on one connection: most ask each minute at least. */
const IDLE_MS = 75_000
/** Milliseconds in which a client that reads nothing may rest. */
const SILENCE_MS = 30_000
/** Octets of a request's header. */
const MAX_HEADER = 8 * 1024
/** Milliseconds for an answer: who asks waits ten seconds in most cases. */
const ANSWER_MS = 8_000
/** How often it is looked at who is too slow. */
const CHECK_MS = 5_000
const TEXT = 'text/plain; charset=utf-8'

export interface MetricsServerOptions {
  /** Makes it listen. @throws when it cannot */
  readonly bind: (server: NetServer) => Promise<void>
  /** True if a client at that address may ask. Those of this machine may anyway. */
  readonly allowed: (address: string) => boolean
  /** What each process of the server has counted, by its name. */
  readonly snapshots: () => Promise<ReadonlyMap<string, Snapshot>>
  /** What is wrong now, a line for each; nothing = all is well. */
  readonly problems: () => Promise<readonly string[]>
}

interface Page {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** A service. */
export class MetricsServer {
  readonly #options: MetricsServerOptions
  readonly #server: Server

  constructor(options: MetricsServerOptions) {
    this.#options = options
    this.#server = createServer(
      {
        requestTimeout: REQUEST_MS,
        headersTimeout: REQUEST_MS,
        keepAliveTimeout: IDLE_MS,
        connectionsCheckingInterval: CHECK_MS,
        maxHeaderSize: MAX_HEADER,
      },
      (request, response) => void this.#serve(request, response),
    )
    this.#server.maxConnections = MAX_CONNECTIONS
    this.#server.timeout = SILENCE_MS
    this.#server.on('connection', (socket) => {
      if (!this.#mayAsk(socket.remoteAddress)) socket.destroy()
    })
  }

  /** The port; `null` on a UNIX socket and before the start. */
  get port(): number | null {
    const address = this.#server.address()
    return address === null || typeof address === 'string' ? null : address.port
  }

  /** @throws what `bind` throws */
  async start(): Promise<void> {
    await this.#options.bind(this.#server)
    // A failure to accept is one client's, not the server's.
    this.#server.on('error', () => {})
  }

  /** Answers under way are cut off: whoever asks comes again. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    this.#server.closeAllConnections()
    await closed
  }

  /** A UNIX socket has no addresses: who can open it may ask. */
  #mayAsk(address: string | undefined): boolean {
    if (address === undefined) return typeof this.#server.address() === 'string'
    const host = address.replace(/^::ffff:(?=\d+\.)/, '')
    const local = host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
    return local || this.#options.allowed(host)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, text } = await inTime(this.#page(request))
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(text),
      'cache-control': 'no-store',
      ...(status === 405 ? { allow: 'GET' } : {}),
    })
    response.end(text)
  }

  async #page({ method, url }: IncomingMessage): Promise<Page> {
    const make = this.#pages.get(url ?? '')
    if (make === undefined) return plain(404, '/metrics and /healthz are all there is')
    if (method !== 'GET') return plain(405, 'only GET')
    try {
      return await make()
    } catch {
      return plain(500, 'a fault of the server')
    }
  }

  readonly #pages: ReadonlyMap<string, () => Promise<Page>> = new Map([
    ['/metrics', () => this.#metrics('some')],
    // Every number of each process by itself.
    ['/metrics?by=worker', () => this.#metrics('all')],
    ['/healthz', () => this.#health()],
  ])

  async #metrics(apart: 'some' | 'all'): Promise<Page> {
    const snapshots = await this.#options.snapshots()
    return { status: 200, type: CONTENT_TYPE, text: exposition(gathered(snapshots, apart)) }
  }

  async #health(): Promise<Page> {
    const problems = await this.#options.problems()
    return problems.length === 0 ? plain(200, 'ok') : plain(503, problems.join('\n'))
  }
}

function plain(status: number, text: string): Page {
  return { status, type: TEXT, text: `${text}\n` }
}

/** A disk or a worker that hangs is an answer, too. */
async function inTime(page: Promise<Page>): Promise<Page> {
  const limit = new AbortController()
  const late = plain(503, `no answer within ${ANSWER_MS / 1_000} seconds`)
  const timer = sleep(ANSWER_MS, late, { signal: limit.signal }).catch(() => late)
  try {
    return await Promise.race([page, timer])
  } finally {
    limit.abort()
  }
}
