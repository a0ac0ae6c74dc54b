/**
 * How many connections clients may have at once and how fast they may open them:
 * per address, per network and in all. A client with IPv6 has a whole /64, and
 * can speak from any address in it (RFC 6177).
 */
import { type Log, reason } from '../log/log.js'
import { Descriptors } from '../net/descriptors.js'
import type { Admission, Doorkeeper, Excess } from '../net/doorkeeper.js'
import { networkOf } from '../net/ip.js'
import type { Networks } from '../net/networks.js'
import { isThisMachine } from '../net/this-machine.js'
import type { Limiter } from './limits.js'

/** 0 means no limit. */
export interface ConnectionLimits {
  /** At once, from all clients to all listeners. */
  readonly inAll: number
  /** At once from one IPv4 address or one IPv6 /64. */
  readonly perAddress: number
  /** At once from one IPv4 /24 or one IPv6 /48. */
  readonly perNetwork: number
  /** New ones per minute from one IPv4 address or one IPv6 /64. */
  readonly ratePerAddress: number
  /** New ones per minute from one IPv4 /24 or one IPv6 /48. */
  readonly ratePerNetwork: number
  /** Clients of whom only `inAll` is asked, as of those of this machine. */
  readonly trusted: Networks
}

export interface ConnectionCountsOptions {
  /** Asked for each client, so that a reload can change them. */
  readonly limits: () => ConnectionLimits
  readonly limiter: Limiter
  readonly log: Log
  /** The system's unless a test brings its own. */
  readonly descriptors?: Descriptors
}

const ADDRESS = { ip4: 32, ip6: 64 }
const NETWORK = { ip4: 24, ip6: 48 }
const SECONDS = 60

/** A part of the net that is counted together. */
export interface Group {
  /** The network, as `192.0.2.7/32`. */
  readonly key: string
  readonly what: Excess & ('address' | 'network')
  /** At once; 0 for no limit. */
  readonly most: number
  /** New ones; 0 for no limit. */
  readonly perMinute: number
}

export class ConnectionCounts implements Doorkeeper {
  readonly #options: ConnectionCountsOptions
  readonly #descriptors: Descriptors
  #all = 0
  /** Group → connections. Grows with the connections alone, so their limit is its limit. */
  readonly #counts = new Map<string, number>()

  constructor(options: ConnectionCountsOptions) {
    this.#options = options
    this.#descriptors = options.descriptors ?? new Descriptors()
  }

  short(): boolean {
    return this.#descriptors.short()
  }

  async admit(address: string): Promise<Admission> {
    const limits = this.#options.limits()
    if (this.#all >= (limits.inAll || Infinity)) return { admitted: false, why: 'in-all' }
    const groups = groupsOf(address, limits)
    const full = groups.find(({ key, most }) => this.#countOf(key) >= (most || Infinity))
    if (full !== undefined) return { admitted: false, why: full.what }
    // Counted before the limiter is asked: others may come while it is working.
    this.#count(groups, 1)
    const fast = await this.#tooFast(groups)
    if (fast === null) return { admitted: true, leave: this.#leave(groups) }
    this.#count(groups, -1)
    return { admitted: false, why: `${fast}-rate` }
  }

  #countOf(key: string): number {
    return this.#counts.get(key) ?? 0
  }

  #count(groups: readonly Group[], by: 1 | -1): void {
    this.#all += by
    for (const { key } of groups) {
      const count = this.#countOf(key) + by
      if (count === 0) this.#counts.delete(key)
      else this.#counts.set(key, count)
    }
  }

  /** Leaving twice must not make room for two. */
  #leave(groups: readonly Group[]): () => void {
    let here = true
    return () => {
      if (here) this.#count(groups, -1)
      here = false
    }
  }

  /** The first of them that opens connections too fast; `null` = none. */
  async #tooFast(groups: readonly Group[]): Promise<Group['what'] | null> {
    try {
      for (const { key, what, perMinute } of groups) {
        if (perMinute === 0) continue
        const { limiter } = this.#options
        const { allowed } = await limiter.hit(`connect ${key}`, 1, perMinute / SECONDS, perMinute)
        if (!allowed) return what
      }
    } catch (error) {
      // What cannot be counted is let in: a broken counter must not stop the mail.
      this.#options.log.error('limits not counted', { reason: reason(error) })
    }
    return null
  }
}

/** Where a client is counted. The address first: it says more. None for those who are trusted. */
export function groupsOf(address: string, limits: ConnectionLimits): Group[] {
  if (isThisMachine(address) || limits.trusted.has(address)) return []
  const { perAddress, perNetwork, ratePerAddress, ratePerNetwork } = limits
  const own = { what: 'address', most: perAddress, perMinute: ratePerAddress } as const
  const wider = { what: 'network', most: perNetwork, perMinute: ratePerNetwork } as const
  return [
    { key: networkOf(address, ADDRESS) ?? address, ...own },
    { key: networkOf(address, NETWORK) ?? address, ...wider },
  ]
}
