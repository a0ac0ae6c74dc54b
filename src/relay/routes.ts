/**
 * Which way a mail goes: the first route that fits its sender, its recipient
 * and the user who sent it. A lane is a route, and by MX also the domain.
 */
import { type Address, identity, parseAddress } from '../mail/address.js'
import { closestPattern, domainFits } from '../mail/domain-pattern.js'
import type { Smarthost } from '../mail/smarthost.js'
import type { Rate } from './rate-cap.js'
import type { Way } from './relay.js'

export interface RelaySettings {
  /** The first that fits counts; the last fits everything. None = no relay. */
  readonly routes: readonly RouteSettings[]
  /** TLS to servers that MX records name, where it is not that of the route. */
  readonly tlsPolicies: readonly { readonly domain: string; readonly tls: DestinationTls }[]
}

export interface RouteSettings {
  /** Letters, digits, `-` and `_`, at most 32; no two alike. */
  readonly name: string
  /** Mail fits when each of these that is not empty has one that fits. */
  readonly match: {
    /** Domain patterns. */
    readonly senderDomains: readonly string[]
    /** Domain patterns. */
    readonly recipientDomains: readonly string[]
    /** Canonical addresses, or `@domain` for all of a domain. */
    readonly users: readonly string[]
  }
  /** In the order in which they are tried; `mx` = whatever servers the DNS names. */
  readonly via: 'mx' | readonly Smarthost[]
  /** For the smarthosts with a user. */
  readonly secret: { readonly kind: 'password' | 'token'; readonly file: string } | null
  readonly tls: 'auto' | 'never' | 'may' | 'encrypt' | 'verify'
  /** PEM file of further authorities. */
  readonly ca: string | null
  /** Transactions of a lane at once. */
  readonly concurrency: number
  readonly rate: Rate | null
}

/** What is asked of TLS to a domain's own servers; `auto`: what the domain publishes, or what the server offers. */
export type DestinationTls = 'auto' | 'never' | 'may' | 'encrypt' | 'verify' | 'dane'

/** Where a lane leads. */
export interface Lane {
  readonly route: RouteSettings
  /** Whose servers are asked for; `null` = the smarthosts of the route. */
  readonly domain: string | null
}

const LANE = /^(?:smarthost:([\w-]+)|mx:([\w-]+):(.+))$/

export class Routes {
  readonly #settings: RelaySettings

  constructor(settings: RelaySettings) {
    this.#settings = settings
  }

  get all(): readonly RouteSettings[] {
    return this.#settings.routes
  }

  /** The lane of a mail; `none` if there is no way for it. */
  laneOf(way: Way): string {
    const route = this.all.find((each) => fits(each, way))
    if (route === undefined) return 'none'
    return route.via === 'mx' ? `mx:${route.name}:${way.to.domain}` : `smarthost:${route.name}`
  }

  /** @returns `null` if there is no such lane (any more) */
  find(lane: string): Lane | null {
    const [, smarthost, mx, domain = null] = LANE.exec(lane) ?? []
    const route = this.all.find(({ name }) => name === (smarthost ?? mx))
    if (route === undefined || (route.via === 'mx') !== (domain !== null)) return null
    return { route, domain }
  }

  /** What is asked of TLS to the servers of a domain. */
  tlsFor({ tls }: RouteSettings, domain: string): DestinationTls {
    return closestPattern(this.#settings.tlsPolicies, domain)?.tls ?? tls
  }
}

/** A bounce has no sender: no `sender_domain` fits it. */
function fits({ match }: RouteSettings, { from, user, to }: Way): boolean {
  const { senderDomains, recipientDomains, users } = match
  return (
    (senderDomains.length === 0 || anyDomain(senderDomains, from)) &&
    (recipientDomains.length === 0 || anyDomain(recipientDomains, to)) &&
    (users.length === 0 || (user !== null && anyUser(users, user)))
  )
}

function anyDomain(patterns: readonly string[], address: Address | null): boolean {
  return address !== null && patterns.some((pattern) => domainFits(pattern, address.domain))
}

function anyUser(users: readonly string[], user: string): boolean {
  const address = parseAddress(user)
  if (address === null) return false
  return users.includes(identity(address)) || users.includes(`@${address.domain}`)
}
