/** A user's mail as POP3 sees it: a list frozen at login, and what can be done with it. */
import type { Bytes } from './message.js'

/**
 * What becomes of the pieces of a message that is read: kept by whoever asked for them, or
 * passed on before the next one is asked for, whose memory it may be then.
 */
export type Pieces = 'kept' | 'passed'

export interface StoredMessage {
  /** 1 to 70 characters 0x21–0x7E, unique in the mailbox, the same for ever (RFC 1939 section 7, UIDL). */
  readonly uid: string
  /** Octets as they go over the wire, lines ending in CR LF, no dot-stuffing counted. */
  readonly size: number
}

export interface Mailbox {
  /** Oldest first; frozen at login, new mail waits for the next one. */
  readonly messages: readonly StoredMessage[]

  /**
   * The content with CR LF line ends, exactly `size` octets; at once if it is in memory.
   * Reading is lazy: whoever stops early reads no further.
   * @param pieces kept, if nothing is said
   * @throws MessageUnavailable when it vanished or cannot be read
   */
  open(message: StoredMessage, pieces?: Pieces): Bytes | Promise<Bytes>

  /**
   * Removes messages for good: when this resolves they are gone from the disk,
   * the directory synced. Those that vanished meanwhile count as removed.
   * @param stillOurs asked before each few of them: from the first "no" on nothing more is
   *   removed. Must not throw.
   * @throws RemovalIncomplete when some could not be removed
   */
  remove(messages: Iterable<StoredMessage>, stillOurs?: () => boolean): Promise<void>
}

/** A message of the list cannot be had; the others still can. */
export class MessageUnavailable extends Error {
  override readonly name = 'MessageUnavailable'
}

/** Not every message was removed; none was that had not been asked for. */
export class RemovalIncomplete extends Error {
  override readonly name = 'RemovalIncomplete'
  /** How many are still there. */
  readonly left: number
  constructor(left: number, options?: ErrorOptions) {
    super(`${left} messages could not be removed`, options)
    this.left = left
  }
}
