/** What a delivery status notification tells (RFC 3464): the words that its makers and its readers share. */
import type { Address } from '../mail/address.js'
import type { ReportWish } from '../mail/envelope.js'

/** RFC 3464 section 2.3.3. */
export type DsnAction = 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded'

/** What is told of one recipient. */
export interface ReportedRecipient {
  /** As the sender named it. */
  readonly to: Address
  /** ORCPT as it came, `type;xtext`; `null` if it was not given. */
  readonly originalRecipient: string | null
  readonly action: DsnAction
  /** Enhanced status code: 5.x.x for failed, 4.x.x for delayed, 2.x.x otherwise. */
  readonly status: string
  /** The server that gave the last answer; `null` if it was this one. */
  readonly remote: string | null
  /** The last answer, code and text; `null` if there was none. Nobody checked it. */
  readonly diagnostic: string | null
  /** Milliseconds since 1970; `null` if it was never tried. */
  readonly lastAttempt: number | null
  /** For `delayed`: until when it is tried, milliseconds since 1970. */
  readonly retryUntil: number | null
}

/** A report before it is composed. */
export interface Report {
  /** Names the report: its Message-ID and boundary are made of it. */
  readonly id: string
  /** The id of the message that it is about. */
  readonly about: string
  /** To whom it goes: the reverse-path of that message. */
  readonly to: Address
  /** The name of this server. */
  readonly hostname: string
  /** When the message was taken, and when this is written; milliseconds since 1970. */
  readonly arrived: number
  readonly now: number
  /** What the client called itself; empty if it is not known. */
  readonly from: string
  readonly wish: ReportWish | null
  /** The message came with SMTPUTF8: its addresses may stand as they are (RFC 6533). */
  readonly utf8: boolean
  readonly recipients: readonly ReportedRecipient[]
}
