/**
 * Settings in, chain out. The order is that of cost: what needs the message
 * only, what asks the DNS, what remembers, what asks another program. SPF, DKIM
 * and DMARC belong between greylisting and rspamd: they cost more than what is
 * before them, and whoever judges after them reads their Authentication-Results.
 */
import { join } from 'node:path'
import type { Log } from '../log/log.js'
import type { Address } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import { DnsblFilter, type DnsblSettings } from './dnsbl.js'
import { type Filter, FilterChain, type Verdict } from './filter.js'
import { type Greylist, GreylistFilter, type GreylistSettings } from './greylist.js'
import { GreylistMemory } from './greylist-memory.js'
import { HeaderFilter, type HeaderSettings } from './headers.js'
import { LoopFilter } from './loop.js'
import { MilterFilter, type MilterSettings } from './milter.js'
import { RspamdFilter, type RspamdSettings } from './rspamd.js'

/** What is `null` or empty is not asked. */
export interface FilterSettings {
  readonly headers: HeaderSettings
  readonly dnsbl: DnsblSettings
  readonly greylist: GreylistSettings | null
  readonly rspamd: RspamdSettings | null
  /** In the order in which they are asked. */
  readonly milters: readonly MilterSettings[]
}

export interface FiltersOptions {
  /** For what filters remember; there when the first mail comes. */
  readonly state: string
  /** The name of this server. */
  readonly hostname: string
  /** Who remembers who came before; without one these filters do, and write it down. */
  readonly greylist?: Greylist
  readonly log: Log
}

/** The filters of a server: new settings make a new chain, and what is remembered stays. */
export class Filters implements Filter {
  readonly name = 'filters'
  readonly #options: FiltersOptions
  readonly #greylist: Greylist
  /** The same, if it is our own. */
  readonly #memory: GreylistMemory | null
  #chain: FilterChain

  constructor(settings: FilterSettings, options: FiltersOptions) {
    const { state, log } = options
    this.#options = options
    const { greylist } = options
    this.#memory =
      greylist === undefined ? new GreylistMemory({ path: greylistIn(state), log }) : null
    this.#greylist = greylist ?? this.#memory!
    this.#chain = this.#build(settings)
  }

  /** For mail that comes from now on. */
  reconfigure(settings: FilterSettings): void {
    this.#chain = this.#build(settings)
  }

  recipient(opening: Opening, to: Address): Promise<void> {
    return this.#chain.recipient(opening, to)
  }

  message(envelope: Envelope, message: Message): Promise<Verdict> {
    return this.#chain.message(envelope, message)
  }

  /** Writes down what shall be remembered. Never rejects. */
  async close(): Promise<void> {
    await this.#memory?.close()
  }

  #build(settings: FilterSettings): FilterChain {
    return new FilterChain(filtersOf(settings, this.#options, this.#greylist))
  }
}

/** Where greylisting writes down what it knows. @param state of a server */
export function greylistIn(state: string): string {
  return join(state, 'greylist')
}

/** The filters that settings ask for, in their order. */
export function filtersOf(
  { headers, dnsbl, greylist, rspamd, milters }: FilterSettings,
  { hostname, log }: FiltersOptions,
  memory: Greylist,
): readonly Filter[] {
  const maxHeader = headers.maxSize
  return [
    new LoopFilter(),
    new HeaderFilter(headers),
    ...(dnsbl.lists.length === 0 ? [] : [new DnsblFilter(dnsbl, log)]),
    ...(greylist === null ? [] : [new GreylistFilter(greylist, memory)]),
    ...(rspamd === null ? [] : [new RspamdFilter(rspamd, log)]),
    ...milters.map((each) => new MilterFilter(each, { hostname, maxHeader, log })),
  ]
}
