/**
 * What looks at mail before it is taken: a chain of filters, asked in order.
 * A filter adds header lines, marks mail as junk, or throws a Refusal; it never
 * changes what is in the message. Whether mail passes while a filter cannot
 * tell (its server is down) is the filter's own business, and in its config.
 */
import type { Address } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'

export interface Verdict {
  /** Header fields to add, complete, without line end; folded ones hold LF and a blank. */
  readonly headers: readonly string[]
  /** It is delivered, and marked. */
  readonly junk: boolean
}

/** Nothing to add. */
export const PASS: Verdict = { headers: [], junk: false }

export interface Filter {
  /** For logs and metrics. */
  readonly name: string
  /**
   * Before a recipient is taken: the only place where one of several can be refused.
   * @throws Refusal
   */
  recipient?(opening: Opening, to: Address): Promise<void>
  /** The whole message, the Received line of this server in front. @throws Refusal */
  message?(envelope: Envelope, message: Message): Promise<Verdict>
}

/** Filters in the order given; the first refusal ends the matter. */
export class FilterChain implements Filter {
  readonly name = 'chain'
  readonly #ofRecipients: readonly Filter[]
  readonly #ofMessages: readonly Filter[]

  constructor(filters: readonly Filter[]) {
    this.#ofRecipients = filters.filter((filter) => 'recipient' in filter)
    this.#ofMessages = filters.filter((filter) => 'message' in filter)
  }

  async recipient(opening: Opening, to: Address): Promise<void> {
    for (const filter of this.#ofRecipients) await filter.recipient?.(opening, to)
  }

  async message(envelope: Envelope, message: Message): Promise<Verdict> {
    const headers: string[] = []
    let junk = false
    for (const filter of this.#ofMessages) {
      const verdict = await filter.message?.(envelope, message)
      if (verdict === undefined || verdict === PASS) continue
      headers.push(...verdict.headers)
      junk ||= verdict.junk
    }
    return headers.length === 0 && !junk ? PASS : { headers, junk }
  }
}
