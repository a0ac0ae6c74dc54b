/** Who sends what to whom, as SMTP said it; apart from what the message's header claims. */
import type { Address } from './address.js'

/** Who brings the mail. */
export interface Client {
  /** IP address; empty on a UNIX socket. */
  readonly address: string
  /** What it called itself. */
  readonly helo: string
  /** TLS is on. */
  readonly secure: boolean
  /** Canonical address of the user who logged in; `null` if nobody did. */
  readonly user: string | null
}

/** What a sender may want to be told of (RFC 3461 section 4.1). */
export type DsnEvent = 'success' | 'failure' | 'delay'

/** What a sender wants to be told about one recipient (RFC 3461 sections 4.1 and 4.2). */
export interface Notice {
  /** `null` = NOTIFY was not given: failures and delays. Empty = NEVER. */
  readonly notify: readonly DsnEvent[] | null
  /** ORCPT as it came, `type;xtext`; `null` if it was not given. */
  readonly originalRecipient: string | null
}

/** What a sender wants of all reports about a message (RFC 3461 sections 4.3 and 4.4). */
export interface ReportWish {
  /** RET; `null` if it was not given. */
  readonly content: 'full' | 'headers' | null
  /** ENVID in xtext, as it came; `null` if it was not given. */
  readonly envelopeId: string | null
}

/** What is known when the first recipient is named. */
export interface Opening {
  /** Names this transaction in logs, in Received and in the reply to DATA. */
  readonly id: string
  /** The reverse-path; `null` is the null path `<>` of bounces. */
  readonly from: Address | null
  readonly client: Client
  /** The SIZE that the client declared (RFC 1870), octets on the wire; `null` if it did not. */
  readonly declaredSize: number | null
  /** The client asked for SMTPUTF8 (RFC 6531): header and envelope may hold UTF-8. */
  readonly smtputf8: boolean
  /** BODY=8BITMIME (RFC 6152) was given. */
  readonly eightBit: boolean
  /** REQUIRETLS (RFC 8689): never to be sent on in clear. */
  readonly requireTls: boolean
  /** Absent = the sender said nothing about reports. */
  readonly reports?: ReportWish
  /** The client hears of each recipient by itself (LMTP); absent = one reply for all. */
  readonly answersEach?: boolean
  /**
   * Nobody waits for an answer (a message from the maildrop): every recipient is taken, and whoever
   * cannot be reached is reported to the sender. Absent = refusals are told at once.
   */
  readonly unanswered?: true
}

export interface Envelope extends Opening {
  /** The forward-paths, in the order given, no identity twice. */
  readonly to: readonly Address[]
  /** By place in `to`; absent = nothing special about any recipient. */
  readonly notices?: readonly (Notice | null)[]
}
