/**
 * Finds the policy that a domain asks senders to keep to: RFC 8461. A policy
 * once seen holds until it expires, whatever the DNS or the web say since then:
 * else whoever can silence them could switch it off.
 */
import { type Log, reason } from '../log/log.js'
import { type Dns, DnsFailure } from './dns.js'
import { DnsMemory } from './dns-memory.js'
import { fetchStsPolicy } from './mta-sts-fetch.js'
import { parseStsPolicy, stsIdIn, type StsPolicy } from './mta-sts-policy.js'
import { addressesOf } from './mx-hosts.js'
import type { KeptPolicy, StsStore } from './mta-sts-store.js'

/** Milliseconds for which a fetch that failed is not tried again (RFC 8461 section 3.3: at least five minutes). */
const FAILED_FOR_MS = 300_000
const MAX_FAILED = 10_000
/** Milliseconds after which a policy is fetched again though its id is the same, so that it does not run out. */
const REFRESH_AFTER_MS = 86_400_000
/** Fetches in the background at once. */
const MAX_REFRESHES = 4

export interface StsFinding {
  /** `null` = the domain has none that we know of. */
  readonly policy: StsPolicy | null
  /** False = it may have one all the same: the DNS or its web server could not tell. */
  readonly certain: boolean
}

const NONE: StsFinding = { policy: null, certain: true }
const UNKNOWN: StsFinding = { policy: null, certain: false }

export interface MtaStsSettings {
  readonly dns: Dns
  readonly store: StsStore
  readonly log: Log
  /** PEM of the authorities that web servers are trusted by; absent = those that Node trusts. */
  readonly ca?: string
  /** Of the web servers. */
  readonly port?: number
}

export class MtaSts {
  readonly #settings: MtaStsSettings
  readonly #failed = new DnsMemory<true>(MAX_FAILED)
  /** One fetch per domain at a time. */
  readonly #fetching = new Map<string, Promise<StsPolicy | null>>()

  constructor(settings: MtaStsSettings) {
    this.#settings = settings
  }

  /**
   * @param domain A-labels in lower case
   * @throws the system's errors when the disk fails: without it nobody knows which policy holds
   */
  async find(domain: string): Promise<StsFinding> {
    const kept = await this.#settings.store.get(domain)
    const id = await this.#announced(domain)
    if (kept !== null && (typeof id !== 'string' || id === kept.id)) {
      if (typeof id === 'string') this.#refresh(domain, kept)
      return { policy: kept.policy, certain: true }
    }
    if (id === null) return NONE
    if (id === undefined) return UNKNOWN
    const policy = (await this.#fetch(domain, id)) ?? kept?.policy ?? null
    return policy === null ? UNKNOWN : { policy, certain: true }
  }

  /** `null` = no policy is announced, `undefined` = nobody can tell. */
  async #announced(domain: string): Promise<string | null | undefined> {
    try {
      return stsIdIn((await this.#settings.dns.lookup(`_mta-sts.${domain}`, 'TXT')).records)
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      return undefined
    }
  }

  #refresh(domain: string, { id, fetched, policy }: KeptPolicy): void {
    const after = Math.min(REFRESH_AFTER_MS, (policy.maxAge * 1_000) / 2)
    if (Date.now() - fetched < after || this.#fetching.size >= MAX_REFRESHES) return
    // What goes wrong is told in there, and the policy that we have still holds.
    this.#fetch(domain, id).catch((error: unknown) => this.#tell(domain, error))
  }

  #fetch(domain: string, id: string): Promise<StsPolicy | null> {
    const running = this.#fetching.get(domain)
    if (running !== undefined) return running
    if (this.#failed.get(`${id} ${domain}`)) return Promise.resolve(null)
    const work = this.#fetchOnce(domain, id).finally(() => this.#fetching.delete(domain))
    this.#fetching.set(domain, work)
    return work
  }

  /** @returns `null` if it cannot be had. @throws the system's errors when it cannot be kept */
  async #fetchOnce(domain: string, id: string): Promise<StsPolicy | null> {
    const text = await this.#textOf(domain, id)
    if (text === null) return null
    await this.#settings.store.put(domain, id, text)
    return parseStsPolicy(text)
  }

  async #textOf(domain: string, id: string): Promise<string | null> {
    try {
      const addresses = async (name: string): Promise<readonly string[]> =>
        (await addressesOf(this.#settings.dns, name))?.addresses ?? []
      return await fetchStsPolicy(domain, { ...this.#settings, addresses })
    } catch (error) {
      this.#failed.set(`${id} ${domain}`, true, FAILED_FOR_MS)
      this.#tell(domain, error)
      return null
    }
  }

  #tell(domain: string, error: unknown): void {
    this.#settings.log.warn('mta-sts policy not fetched', { domain, why: reason(error) })
  }
}
