/** The control socket: HTTP/1.1 on a UNIX socket that only the owner of the server can open. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Log, reason } from '../log/log.js'
import { bind } from '../net/bind.js'
import { type Answer, ControlRefusal, type Route } from './control.js'
import { jsonOf } from './request-body.js'
import { shortPathOf } from './short-path.js'

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
/** The client went away, or we stop: no fault of anybody. */
const BROKEN_OFF = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR', 'ECONNRESET', 'EPIPE'])

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
  #release = async (): Promise<void> => {}

  constructor(options: ControlOptions) {
    this.#options = options
    const limits = {
      requestTimeout: REQUEST_MS,
      headersTimeout: HEADER_MS,
      maxHeaderSize: MAX_HEADER,
    }
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
    const { log } = this.#options
    const place = await shortPathOf(this.#options.path)
    try {
      await bind(this.#server, { kind: 'unix', path: place.path, mode: MODE }, 'control')
    } catch (error) {
      await place.release()
      throw error
    }
    this.#release = () => place.release()
    this.#server.on('error', (error) =>
      log.error('control accept failed', { reason: reason(error) }),
    )
  }

  /** Breaks off what is under way between two lines; what takes longer than 5 seconds is left behind. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    const closed = new Promise<void>((resolve) => {
      // An error says that it was not listening: then nothing is left to close.
      this.#server.close(() => resolve())
    })
    this.#server.closeIdleConnections()
    const limit = new AbortController()
    const late = sleep(STOP_MS, undefined, { signal: limit.signal }).catch(() => {})
    await Promise.race([Promise.all(this.#running), late])
    limit.abort()
    this.#server.closeAllConnections()
    await closed
    // Not before the socket is closed: its file is removed by this name.
    await this.#release()
    this.#release = async () => {}
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
      throw new ControlRefusal(404, [
        'this server does not know that question; is it an older one?',
      ])
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
    response.destroy()
    if (!BROKEN_OFF.has((error as NodeJS.ErrnoException).code ?? '')) this.#tell(request, error)
  }

  #tell({ url }: IncomingMessage, error: unknown): void {
    this.#options.log.error('control failed', { path: url, reason: reason(error) })
  }
}

/** Resolves when the system has all of it. @throws what the answer throws on its way */
async function send(response: ServerResponse, answer: Answer, signal: AbortSignal): Promise<void> {
  response.setHeader('content-type', TYPES[answer.kind])
  await pipeline(Readable.from(piecesOf(answer), { objectMode: true }), response, { signal })
}

function piecesOf(answer: Answer): Iterable<string> | AsyncIterable<string | Uint8Array> {
  if (answer.kind === 'value') return [JSON.stringify(answer.value)]
  return answer.kind === 'lines' ? linesOf(answer.lines) : answer.octets
}

async function* linesOf(values: AsyncIterable<unknown>): AsyncIterable<string> {
  for await (const value of values) yield `${JSON.stringify(value)}\n`
}
