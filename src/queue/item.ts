/** A message that waits, and what is known of each of its recipients. Pure data: what stands in the envelope file. */
import type { Target } from '../directory/directory.js'
import type { Address } from '../mail/address.js'
import type { Client, Notice, ReportWish } from '../mail/envelope.js'

/**
 * What became of a recipient. `waiting` is tried again; the others are final:
 * `delivered` into a place of ours or by a server that reports for itself no more,
 * `relayed` to a server that does not know DSN, `handed-on` to one that took over
 * the duty to report, `failed` for good, `expired` after too many days, `dropped` by an admin.
 */
export type RecipientState =
  | 'waiting'
  | 'delivered'
  | 'relayed'
  | 'handed-on'
  | 'failed'
  | 'expired'
  | 'dropped'

/** The last "no" that a recipient met. */
export interface Trouble {
  /** Reply code, 4xx or 5xx. */
  readonly code: number
  /** Enhanced status code (RFC 3463). */
  readonly status: string
  /** Printable ASCII, bounded. */
  readonly text: string
  /** The server that said it; `null` if we said it ourselves. */
  readonly by: string | null
  /** When, milliseconds since 1970. */
  readonly at: number
}

export interface QueuedRecipient {
  /** As the client named it. */
  readonly to: Address
  /** Where it goes: one place of those behind `to`. */
  readonly target: Target
  /** The reverse-path for this recipient where it is another one than the message's (SRS of a forward). */
  readonly from?: Address
  readonly notice: Notice | null
  readonly state: RecipientState
  /** How often it was tried. */
  readonly attempts: number
  /** When it is tried next, milliseconds since 1970; of no meaning once the state is final. */
  readonly next: number
  readonly trouble: Trouble | null
  /** The sender has been told of a delay. */
  readonly delayReported: boolean
  /** The sender has been told how it ended, or does not want to be told. */
  readonly reported: boolean
}

export interface QueueItem {
  /** Names the message in logs and commands; letters and digits, unique. */
  readonly id: string
  /** When it was taken, milliseconds since 1970. */
  readonly received: number
  /**
   * Milliseconds that it has waited in a running server, as a clock that only goes forward counted
   * them: a system clock that jumps expires nothing.
   */
  readonly waitedMs: number
  /** `null` = the null path: nobody is ever told of a failure. */
  readonly from: Address | null
  readonly client: Client
  readonly smtputf8: boolean
  readonly eightBit: boolean
  readonly requireTls: boolean
  readonly reports: ReportWish | null
  /** Octets with LF line ends, and how many lines: what `Message` says. */
  readonly size: number
  readonly lines: number
  /** An admin said: not now. */
  readonly held: boolean
  readonly recipients: readonly QueuedRecipient[]
}
