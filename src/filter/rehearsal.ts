/**
 * The filters of a server in a dry run: they say what they would say, and
 * nothing is remembered of it. What a filter can only tell of a message it is not asked.
 */
import type { Address } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import { Refusal } from '../mail/refusal.js'
import { DnsblFilter } from './dnsbl.js'
import { isExempt } from './exempt.js'
import { type Filter, PASS, type Verdict } from './filter.js'
import { type FilterSettings, type FiltersOptions, filtersOf, greylistIn } from './filters.js'
import { GreylistMemory } from './greylist-memory.js'
import { strangerAddress } from './origin.js'

/** What one filter says. */
export interface Saying {
  readonly filter: string
  readonly says:
    | 'pass'
    /** It would be asked of others, not of this client or this recipient. */
    | 'exempt'
    | 'junk'
    | 'refuse'
    /** It looks at messages, and there is none. */
    | 'needs the message'
  /** The refusal. */
  readonly refusal: Refusal | null
}

export class FilterRehearsal implements Filter {
  readonly name = 'rehearsal'
  readonly #filters: readonly Filter[]
  readonly #tell: (saying: Saying) => void

  /** @param tell is told of each filter, in their order */
  constructor(settings: FilterSettings, options: FiltersOptions, tell: (saying: Saying) => void) {
    const { state, log } = options
    const memory = new GreylistMemory({ path: greylistIn(state), log, readOnly: true })
    this.#filters = filtersOf(settings, options, memory)
    this.#tell = tell
  }

  async recipient(opening: Opening, to: Address): Promise<void> {
    for (const filter of this.#filters) {
      if (filter.recipient === undefined) continue
      await this.#hear(filter.name, filter.recipient(opening, to))
      const exempt = strangerAddress(opening.client) === null || isExempt(to)
      this.#tell({ filter: filter.name, says: exempt ? 'exempt' : 'pass', refusal: null })
    }
  }

  /** There is no message to be shown to them. */
  async message(envelope: Envelope): Promise<Verdict> {
    for (const filter of this.#filters) {
      if (filter.message === undefined) continue
      if (filter instanceof DnsblFilter) await this.#ofClient(filter, envelope)
      else this.#tell({ filter: filter.name, says: 'needs the message', refusal: null })
    }
    return PASS
  }

  /** DNS lists judge the client alone. */
  async #ofClient(filter: DnsblFilter, envelope: Envelope): Promise<void> {
    const { junk } = await this.#hear(filter.name, filter.message(envelope))
    if (junk) this.#tell({ filter: filter.name, says: 'junk', refusal: null })
  }

  async #hear<T>(filter: string, asked: Promise<T>): Promise<T> {
    try {
      return await asked
    } catch (error) {
      if (error instanceof Refusal) this.#tell({ filter, says: 'refuse', refusal: error })
      throw error
    }
  }
}
