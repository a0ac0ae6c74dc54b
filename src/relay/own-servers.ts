/** Finds out whether a smarthost is this server itself: mail would go round until its hops are counted. */
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'

/** Milliseconds that an answer is believed. */
const KEPT_MS = 60_000
/** More smarthosts than anybody has. */
const MAX_KEPT = 1_000

/** Whether we take mail at that IP address and port. */
export type IsOurselves = (address: string, port: number) => boolean

interface Kept {
  readonly addresses: Promise<readonly string[]>
  readonly until: number
}

export class OwnServers {
  readonly #isOurselves: IsOurselves
  readonly #now: () => number
  readonly #kept = new Map<string, Kept>()

  /** @param now milliseconds of a clock that never goes back */
  constructor(isOurselves: IsOurselves, now: () => number) {
    this.#isOurselves = isOurselves
    this.#now = now
  }

  /** What has no address is not us: connecting will tell what is wrong. */
  async has(host: string, port: number): Promise<boolean> {
    const addresses = isIP(host) === 0 ? await this.#lookUp(host) : [host]
    return addresses.some((address) => this.#isOurselves(address, port))
  }

  /** As the system does when it connects by that name; once for all who ask at the same time. */
  #lookUp(host: string): Promise<readonly string[]> {
    const kept = this.#kept.get(host)
    if (kept !== undefined && kept.until > this.#now()) return kept.addresses
    const addresses = addressesOf(host)
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear()
    this.#kept.set(host, { addresses, until: this.#now() + KEPT_MS })
    return addresses
  }
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address)
  } catch {
    // Whoever connects meets the same error, and says so.
    return []
  }
}
