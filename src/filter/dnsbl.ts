/**
 * Asks DNS lists about the client (RFC 5782), and refuses or marks mail of one
 * that is listed. A DNS that cannot tell lets mail pass: lists go away for ever,
 * and a server that waits for them would take no mail at all.
 */
import { type Log, reason } from '../log/log.js'
import type { Address } from '../mail/address.js'
import type { Client, Envelope, Opening } from '../mail/envelope.js'
import { clientListed } from '../mail/refusal.js'
import { DnsList, type Listing, type ListSettings } from './dns-list.js'
import { isExempt } from './exempt.js'
import { Expiring } from './expiring.js'
import { type Filter, PASS, type Verdict } from './filter.js'
import { headerLine } from './foreign-words.js'
import { reversed, strangerAddress } from './origin.js'

export interface DnsblSettings {
  /** In the order of trust: the first that lists a client gives the reason. */
  readonly lists: readonly ListSettings[]
  /** `mark`: it is delivered as junk. */
  readonly action: 'reject' | 'mark'
  /** Name servers, `127.0.0.1:53`; none = those of the system. */
  readonly resolvers: readonly string[]
}

/** Clients whose answers are kept … */
const MAX_KEPT = 10_000
/** … for so long, … */
const KEPT_MS = 300_000
/** … and no longer than this if a list could not be asked. */
const KEPT_AFTER_FAILURE_MS = 30_000

export class DnsblFilter implements Filter {
  readonly name = 'dnsbl'
  readonly #settings: DnsblSettings
  readonly #lists: readonly DnsList[]
  readonly #log: Log
  readonly #answers = new Expiring<Promise<Answer>>(MAX_KEPT)

  constructor(settings: DnsblSettings, log: Log) {
    this.#settings = settings
    this.#lists = settings.lists.map((list) => new DnsList(list, settings.resolvers, log))
    this.#log = log
  }

  async recipient({ client }: Opening, to: Address): Promise<void> {
    if (this.#settings.action !== 'reject' || isExempt(to)) return
    const { listing, why } = await this.#ask(client)
    if (listing === null) return
    throw clientListed(client.address, why === '' ? listing.zone : `${listing.zone}: ${why}`)
  }

  async message({ client }: Envelope): Promise<Verdict> {
    if (this.#settings.action !== 'mark') return PASS
    const { listing } = await this.#ask(client)
    if (listing === null) return PASS
    const line = headerLine('X-DNSBL', `${listing.zone} ${listing.code}`)
    return { headers: line === null ? [] : [line], junk: true }
  }

  async #ask(client: Client): Promise<Answer> {
    const address = strangerAddress(client)
    if (address === null) return NOT_LISTED
    const name = reversed(address)
    const kept = this.#answers.get(name)
    if (kept !== undefined) return kept
    const asked = this.#askAll(name)
    this.#answers.set(name, asked, KEPT_MS)
    const answer = await asked
    if (answer.failed) this.#answers.set(name, asked, KEPT_AFTER_FAILURE_MS)
    return answer
  }

  /** All at once: they are many, and the client waits. Never rejects. */
  async #askAll(name: string): Promise<Answer> {
    const found = await Promise.allSettled(this.#lists.map((list) => list.lookup(name)))
    found.forEach((result, index) => {
      if (result.status === 'rejected') this.#failed(this.#lists[index]!.zone, name, result.reason)
    })
    const failed = found.some(({ status }) => status === 'rejected')
    const at = found.findIndex((result) => result.status === 'fulfilled' && result.value !== null)
    if (at === -1) return { ...NOT_LISTED, failed }
    const listing = (found[at] as PromiseFulfilledResult<Listing>).value
    const wanted = this.#settings.action === 'reject'
    return { listing, why: wanted ? await this.#lists[at]!.why(name) : '', failed }
  }

  #failed(list: string, name: string, error: unknown): void {
    this.#log.warn('dnsbl cannot tell', { list, name, reason: reason(error) })
  }
}

interface Answer {
  readonly listing: Listing | null
  /** The list's own words, for the client. */
  readonly why: string
  /** Some list could not be asked. */
  readonly failed: boolean
}

const NOT_LISTED: Answer = { listing: null, why: '', failed: false }
