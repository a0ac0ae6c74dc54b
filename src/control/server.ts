/** The control socket: HTTP/1.1 on a UNIX socket that only the owner of the server can open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Log, reason } from '../log/log.js'
import { bind } from '../net/bind.js'
import { type Answer, ControlRefusal, type Route } from './control.js'
import { jsonOf } from './request-body.js'

/** Requests under way at once; a connection is for one of them. */
const MAX_REQUESTS = 32
/** Milliseconds for a request to come in as a whole. */
const REQUEST_MS = 30_000
const HEADER_MS = 10_000
/** Octets of a request's header. */
const MAX_HEADER = 16 * 1024
/** Milliseconds in which a client that reads nothing, or an answer that does not go on, may rest. */
const SILENCE_MS = 600_000
/** Milliseconds that `stop` waits for answers under way. */
const STOP_MS = 5_000
/** Nobody but the owner. */
const MODE = 0o600
const FAULT = 500

const TYPES: Readonly<Record<Answer['kind'], string>> = {
  value: 'application/json',
  lines: 'application/x-ndjson',
  octets: 'application/octet-stream',
}

export interface ControlOptions {
  /** Where the socket is made. The directory is there. */
  readonly path: string
  readonly routes: readonly Route[]
  readonly log: Log
}

/** A service. */
export class ControlServer {
  readonly #options: ControlOptions
  readonly #server: Server
  readonly #running = new Set<Promise<void>>()
  readonly #stopping = new AbortController()

  constructor(options: ControlOptions) {
    this.#options = options
    const limits = { requestTimeout: REQUEST_MS, headersTimeout: HEADER_MS, maxHeaderSize: MAX_HEADER }
    this.#server = createServer(limits, (request, response) => this.#run(request, response))
    this.#server.maxConnections = MAX_REQUESTS
    this.#server.maxRequestsPerSocket = 1
    this.#server.timeout = SILENCE_MS
  }

  /**
   * A socket that a dead server left is replaced.
   * @throws ListenError with the system's code; EADDRINUSE = another server answers there
   */
  async start(): Promise<void> {
    const { path, log } = this.#options
    await bind(this.#server, { kind: 'unix', path, mode: MODE }, 'control')
    this.#server.on('error', (error) => log.error('control accept failed', { reason: reason(error) }))
  }

  /** Breaks off what is under way between two lines; what takes longer than 5 seconds is cut. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const closed = new Promise<void>((resolve) => {
      // An error says that it was not listening: then nothing is left to close.
      this.#server.close(() => resolve())
    })
    this.#server.closeIdleConnections()
    const timer = setTimeout(() => this.#server.closeAllConnections(), STOP_MS)
    await Promise.all([closed, ...this.#running])
    clearTimeout(timer)
  }

  #run(request: IncomingMessage, response: ServerResponse): void {
    const running = this.#serve(request, response).finally(() => this.#running.delete(running))
    this.#running.add(running)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const answer = await this.#answer(request)
      await send(response, answer, this.#stopping.signal)
    } catch (error) {
      this.#refuse(request, response, error)
    }
  }

  async #answer(request: IncomingMessage): Promise<Answer> {
    const there = this.#options.routes.filter(({ path }) => path === request.url)
    if (there.length === 0)
      throw new ControlRefusal(404, ['this server does not know that question; is it an older one?'])
    const route = there.find(({ method }) => method === request.method)
    if (route === undefined) throw new ControlRefusal(405, ['not with this method'])
    return route.answer(await jsonOf(request))
  }

  #refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    if (response.headersSent || response.destroyed) return this.#cut(request, response, error)
    if (!(error instanceof ControlRefusal)) this.#tell(request, error)
    const known = error instanceof ControlRefusal
    const problems = known ? error.problems : [`a fault of the server: ${reason(error)}`]
    const text = JSON.stringify({ problems })
    response.writeHead(known ? error.status : FAULT, { 'content-type': TYPES.value })
    // What has not been read of the request is of no use any more.
    response.end(text, () => request.destroy())
  }

  /** An answer that ends too early must not look like a whole one. */
  #cut(request: IncomingMessage, response: ServerResponse, error: unknown): void {
    const gone = response.req.socket.destroyed || this.#stopping.signal.aborted
    response.destroy()
    if (!gone) this.#tell(request, error)
  }

  #tell({ url }: IncomingMessage, error: unknown): void {
    this.#options.log.error('control failed', { path: url, reason: reason(error) })
  }
}

async function send(response: ServerResponse, answer: Answer, signal: AbortSignal): Promise<void> {
  response.setHeader('content-type', TYPES[answer.kind])
  if (answer.kind === 'value') {
    response.end(JSON.stringify(answer.value))
    return
  }
  const pieces = answer.kind === 'lines' ? linesOf(answer.lines) : answer.octets
  await pipeline(Readable.from(pieces, { objectMode: true }), response, { signal })
}

async function* linesOf(values: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`
}
