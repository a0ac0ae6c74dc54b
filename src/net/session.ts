/**
 * What a protocol session is to the network: lines in, answers out. A session
 * has no socket and no clock, so a test of it is a transcript.
 */
import type { Bytes } from '../mail/message.js'

/** What goes back to the client for one input. */
export interface Answer {
  readonly head: Buffer
  /** Follows the head, written no faster than the client reads. Errors in it end the connection. */
  readonly body?: Bytes
  /** `close`: after this answer the connection ends. `starttls`: the next bytes are TLS. */
  readonly then?: 'close' | 'starttls'
  /** Milliseconds that the client is kept waiting for it, about: what guesses shall not guess fast. */
  readonly after?: number
}

/** Input that is not lines: a message body. */
export interface RawInput {
  /**
   * Takes bytes from the front of the chunk. Bytes left over are lines again;
   * `answer` comes with the last taken byte, and until then all of the chunk is taken.
   */
  take(chunk: Buffer): RawStep | Promise<RawStep>
  /** Milliseconds that the input may last in all, given the bytes that came so far. */
  patience(received: number): number
}

export interface RawStep {
  readonly taken: number
  readonly answer: Answer | null
}

/** Lines that never become commands. */
export type LineFault =
  /** Longer than `maxLine`; the rest of it was thrown away. */
  | 'overlong'
  /** LF without CR where the protocol insists on both. */
  | 'bare-lf'
  /** Bytes that came before the client could know that it may send them. */
  | 'out-of-step'
  /** The first byte of a TLS handshake on a plain port. */
  | 'tls-hello'

/** Why the server ends a connection on its own. */
export type Farewell =
  | 'idle'
  | 'stopping'
  /** Of all clients together. */
  | 'too-many'
  /** Of this client, or of its network. */
  | 'too-many-yours'

export interface Session {
  /** The longest line taken, in octets, its line end counted. */
  readonly maxLine: number
  /** True if a lone LF ends a line, too. */
  readonly bareLf: boolean
  /** Milliseconds that a client may take for its next line. */
  readonly patience: number
  /** Set while bytes, not lines, are expected. */
  readonly raw: RawInput | null

  /** Called once, first. @param hangUp ends the connection at once, without a word */
  connected?(hangUp: () => void): void
  greet(): Answer | Promise<Answer>
  /** @param line without its line end */
  command(line: Buffer): Answer | Promise<Answer>
  /**
   * True if the client must wait for the answer before it sends more (RFC 2920
   * section 3.1): bytes that follow in the same buffer are `out-of-step`.
   */
  mustBeLast(line: Buffer): boolean
  fault(fault: LineFault): Answer
  farewell(why: Farewell): Buffer
  /** TLS is up; what the client said in clear is forgotten (RFC 3207 section 4.2). */
  secured(tls: TlsFacts): void
  /** The connection is gone, however it went. Called exactly once, last. */
  closed(): Promise<void>
}

/** What a session may know of the TLS connection. */
export interface TlsFacts {
  /** Such as `TLSv1.3`. */
  readonly version: string
  /** Such as `TLS_AES_256_GCM_SHA384`. */
  readonly cipher: string
  /**
   * What only the two ends of this connection know of it, to bind a login to it (RFC 5056).
   * `null` if there is no binding of that type; absent where TLS ends before us.
   */
  readonly channelBinding?: (type: string) => Buffer | null
}
