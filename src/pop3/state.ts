/** The shape of a POP3 conversation: a state is a map of verbs, a reply carries the next state. */
import type { Bytes } from '../mail/message.js'

/** @param argument what follows the verb and one space; empty if nothing does */
export type Verb = (argument: Buffer) => Reply | Promise<Reply>

/** RFC 1939 section 3: what the client may say now. */
export interface State {
  /** @param name in upper case. A verb that is absent is not allowed in this state. */
  verb(name: string): Verb | undefined
  /** What is said to an absent verb. */
  readonly refusal: string
  /** Set while lines are no commands. */
  readonly lines: LineTaker | null
  /** So many absent verbs end the connection. */
  readonly maxUnknown: number
  /** The client said something. */
  touch?(): void
  /** Calls back, once, when the state lost what it works with to a newer login. */
  onRevoked?(callback: () => void): void
  /** The conversation is over, without UPDATE unless QUIT has been through it. Safe to call twice. */
  leave(why: string): Promise<void>
}

/** Takes lines that are no commands: the responses of a SASL exchange (RFC 5034 section 4). */
export interface LineTaker {
  take(line: Buffer): Promise<Reply>
  /** A line came that cannot be taken: from here on lines are commands again. */
  abandon(): Promise<void>
}

/**
 * What the client did wrong: `unknown`, no command of this state; `login`, a wrong
 * password; `refused`, anything else. Faults of ours are not held against it.
 */
export type Blame = 'unknown' | 'login' | 'refused'

export interface Reply {
  /** The status line, line end included. */
  readonly head: Buffer
  /** The lines of a multi-line response, the final dot included. */
  readonly body?: Bytes
  /** The state after this reply, `null` for none: the connection ends. Absent: no change. */
  readonly next?: State | null
  /** TLS begins after this reply. */
  readonly starttls?: true
  readonly blame?: Blame
}
