/** Asks the running server over its control socket. */
import { type IncomingMessage, request } from 'node:http'
import { controlSocket } from '../src/control/control.js'
import { shortPathOf } from '../src/control/short-path.js'
import { Exit, Failure } from './exit.js'
import { linesOf, textOf } from './json-lines.js'

/** Nothing answers at the control socket: no server runs with this state directory. */
export class NoServer extends Error {
  override readonly name = 'NoServer'
}

/** Milliseconds without a byte after which the server is given up. */
const SILENCE_MS = 600_000
/** Octets of an answer that is one value: an envelope with very many recipients is that long. */
const MAX_VALUE = 64 * 1024 * 1024
const OK = 200

/** What the system says when nobody listens there. */
const NOBODY = ['ENOENT', 'ECONNREFUSED']

/** What the server's "no" means to whoever called the program; everything else is for later. */
const EXITS = new Map<number, number>([
  [400, Exit.usage],
  [404, Exit.badData],
  [422, Exit.badConfig],
])

/** Every method throws NoServer, or Failure for what the server says and for what keeps us from it. */
export class ControlClient {
  readonly #path: string

  /** @param state the server's state directory */
  constructor(state: string) {
    this.#path = controlSocket(state)
  }

  async get(path: string): Promise<unknown> {
    return valueOf(await this.#ask('GET', path, null))
  }

  async post(path: string, asked: object = {}): Promise<unknown> {
    return valueOf(await this.#ask('POST', path, asked))
  }

  async *lines(path: string, asked: object): AsyncIterable<unknown> {
    yield* linesOf(whole(await this.#ask('POST', path, asked)))
  }

  async octets(path: string, asked: object): Promise<AsyncIterable<Buffer>> {
    return whole(await this.#ask('POST', path, asked))
  }

  async #ask(method: string, path: string, asked: object | null): Promise<IncomingMessage> {
    const answer = await this.#reached(method, path, asked)
    if (answer.statusCode === OK) return answer
    throw await refusalIn(answer)
  }

  async #reached(method: string, path: string, asked: object | null): Promise<IncomingMessage> {
    try {
      const place = await shortPathOf(this.#path)
      const answer = this.#send(place.path, method, path, asked)
      return await answer.finally(() => place.release())
    } catch (error) {
      throw this.#failure(error as NodeJS.ErrnoException)
    }
  }

  #send(
    socketPath: string,
    method: string,
    path: string,
    asked: object | null,
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' }
      const place = { socketPath, path, agent: false, timeout: SILENCE_MS }
      const sent = request({ ...place, method, ...(asked === null ? {} : { headers }) }, resolve)
      sent.on('timeout', () => sent.destroy(new Error('it says nothing')))
      sent.on('error', reject)
      sent.end(asked === null ? undefined : JSON.stringify(asked))
    })
  }

  #failure(error: NodeJS.ErrnoException): Error {
    const { code = '' } = error
    if (NOBODY.includes(code)) return new NoServer('no server runs', { cause: error })
    if (code === 'EACCES' || code === 'EPERM') {
      const what = `${this.#path}: permission denied; only the owner of the server may ask it`
      return new Failure(Exit.noPermission, what, { cause: error })
    }
    const what = `${this.#path}: the server does not answer (${error.message}); try again`
    return new Failure(Exit.tryLater, what, { cause: error })
  }
}

async function valueOf(answer: IncomingMessage): Promise<unknown> {
  return JSON.parse(await textOf(whole(answer), MAX_VALUE))
}

/** @throws Failure when it ends too early */
async function* whole(answer: IncomingMessage): AsyncIterable<Buffer> {
  try {
    for await (const piece of answer as AsyncIterable<Buffer>) yield piece
  } catch (error) {
    const what = 'the server broke its answer off; its log may say why'
    throw new Failure(Exit.tryLater, what, { cause: error })
  }
}

async function refusalIn(answer: IncomingMessage): Promise<Failure> {
  const code = EXITS.get(answer.statusCode ?? 0) ?? Exit.tryLater
  const said = (await valueOf(answer)) as { problems?: unknown }
  const problems = Array.isArray(said.problems) ? said.problems.map(String) : []
  return new Failure(
    code,
    problems.length > 0 ? problems : 'the server refuses, and does not say why',
  )
}
