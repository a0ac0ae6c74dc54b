/**
 * What a running server can be asked and told over its control socket: the contract of one
 * question, and where the socket is. Whoever may open the socket may ask everything: it belongs to
 * the owner of the server alone.
 */
import { join } from 'node:path'

/** One question: HTTP with JSON in both directions. */
export interface Route {
  readonly method: 'GET' | 'POST'
  /** Such as `/queue/list`. */
  readonly path: string
  /**
   * @param asked the JSON of the request; an empty object if there was none
   * @throws ControlRefusal for a question that is wrong or cannot be met now
   */
  answer(asked: unknown): Promise<Answer>
}

export type Answer =
  /** One JSON value. */
  | { readonly kind: 'value'; readonly value: unknown }
  /** A line of JSON for each, for what may be long. */
  | { readonly kind: 'lines'; readonly lines: AsyncIterable<unknown> }
  | { readonly kind: 'octets'; readonly octets: AsyncIterable<Uint8Array> }

/** A "no" that whoever asked can understand: a line for each problem. */
export class ControlRefusal extends Error {
  override readonly name = 'ControlRefusal'
  readonly status: RefusalStatus
  readonly problems: readonly string[]

  /** @param problems what is wrong, where, and what to do */
  constructor(status: RefusalStatus, problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options)
    this.status = status
    this.problems = problems
  }
}

/** HTTP: a wrong question, no such thing, a wrong method, too large, not possible as things are. */
export type RefusalStatus = 400 | 404 | 405 | 413 | 422

/** What `GET /status` tells. */
export interface ServerStatus {
  readonly version: string
  readonly pid: number
  /** Whole seconds since it was ready. */
  readonly uptime: number
  readonly listeners: readonly { readonly protocol: string; readonly endpoint: string }[]
  readonly queue: {
    /** How many wait. */
    readonly messages: number
  }
}

/** The socket of the server with that state directory. */
export function controlSocket(state: string): string {
  return join(state, 'control.sock')
}
