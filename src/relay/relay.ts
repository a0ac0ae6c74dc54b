/** Brings mail to servers of other domains: which way it goes now, and what came of it. */
import type { Address } from '../mail/address.js'
import type { Notice, ReportWish } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Refusal } from '../mail/refusal.js'

export interface RelayRecipient {
  readonly to: Address
  readonly notice: Notice | null
}

/** One transaction's worth: recipients of one message that go the same way. */
export interface RelayWork {
  /** The message's id, for logs. */
  readonly id: string
  /** `null` = the null path. */
  readonly from: Address | null
  /** Canonical address of the user who sent it; `null` if nobody logged in. Routes and credentials may depend on it. */
  readonly user: string | null
  readonly smtputf8: boolean
  readonly eightBit: boolean
  readonly requireTls: boolean
  readonly reports: ReportWish | null
  readonly recipients: readonly RelayRecipient[]
}

export interface RelayOutcome {
  /** `null` = the other server has it. Temporary = try again, never a bounce. */
  readonly refusal: Refusal | null
  /** The server that said so, `name [address]`; `null` if we said it ourselves. */
  readonly by: string | null
  /** Its reply as it came: printable ASCII, bounded; `null` if there was none. */
  readonly said: string | null
  /** The server announced DSN: it reports from here on (RFC 3461 section 5.2.2). */
  readonly reportsItself: boolean
}

/** Who sends to whom, as far as it decides the way. */
export interface Way {
  readonly from: Address | null
  readonly user: string | null
  readonly to: Address
}

export interface Relay {
  /** False = no relay is set up: mail for other domains is not taken. */
  readonly enabled: boolean
  /**
   * The way that this mail goes as things are configured now. Recipients of a message with equal
   * lanes share a transaction; a lane has its own limits. Printable, at most 300 characters.
   */
  lane(way: Way): string
  /** How many transactions of a lane may run at once. */
  concurrency(lane: string): number
  /** Milliseconds until another transaction of the lane may begin (rate limits); 0 = now. */
  pause(lane: string): number
  /** One outcome per recipient, in order. Never throws, always ends. */
  deliver(lane: string, work: RelayWork, message: Message): Promise<readonly RelayOutcome[]>
  /** Closes idle connections; what is under way ends by itself. */
  close(): Promise<void>
}
