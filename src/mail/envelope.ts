/** Who sends what to whom, as SMTP said it; apart from what the message's header claims. */
import type { Address } from './address.js'

export interface Envelope {
  /** Names this transaction in logs, in Received and in the reply to DATA. */
  readonly id: string
  /** The reverse-path; `null` is the null path `<>` of bounces. */
  readonly from: Address | null
  /** The forward-paths, in the order given, no identity twice. */
  readonly to: readonly Address[]
  /** The SIZE that the client declared (RFC 1870), octets on the wire; `null` if it did not. */
  readonly declaredSize: number | null
  /** The client asked for SMTPUTF8 (RFC 6531): header and envelope may hold UTF-8. */
  readonly smtputf8: boolean
  /** BODY=8BITMIME (RFC 6152) was given. */
  readonly eightBit: boolean
}
