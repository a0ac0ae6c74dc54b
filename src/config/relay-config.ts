/** What `[relay]` says, with defaults filled in: which way mail for other domains goes. */
import { formatSmarthost, type Smarthost } from '../mail/smarthost.js'
import { formatRate, type Rate } from './durations.js'

export interface RelayConfig {
  /** The first that fits counts; the last fits everything. None = no mail to other domains. */
  readonly routes: readonly RouteConfig[]
  /** TLS to servers that MX records name, where it is not that of the route. */
  readonly tlsPolicies: readonly TlsPolicyConfig[]
}

export interface RouteConfig {
  /** Letters, digits, `-` and `_`, at most 32; no two alike. */
  readonly name: string
  /** Mail fits when each of these that is not empty has one that fits. */
  readonly match: {
    /** Domain patterns. */
    readonly senderDomains: readonly string[]
    /** Domain patterns. */
    readonly recipientDomains: readonly string[]
    /** Who logged in: canonical addresses, or `@domain` for all of a domain. */
    readonly users: readonly string[]
  }
  /** In the order in which they are tried; `mx` = whatever servers the DNS names. */
  readonly via: 'mx' | readonly Smarthost[]
  /** For the smarthosts whose URL has a user; `null` if none has. */
  readonly secret: SecretConfig | null
  readonly tls: RouteTls
  /** PEM file of further authorities; absolute. */
  readonly ca: string | null
  /** Transactions at once; of `mx` for each domain by itself. */
  readonly concurrency: number
  /** Messages in any such span; `null` = as fast as it goes. */
  readonly rate: Rate | null
}

/** A file that holds a password, or an access token (XOAUTH2); absolute. */
export interface SecretConfig {
  readonly kind: 'password' | 'token'
  readonly file: string
}

export interface TlsPolicyConfig {
  /** Domain pattern of recipients. */
  readonly domain: string
  readonly tls: DestinationTls
}

/**
 * `auto`: with a login or `smtps:` always, and the certificate has to be right; without, and to
 * this machine, whatever the server offers.
 */
export const ROUTE_TLS = ['auto', 'never', 'may', 'encrypt', 'verify'] as const
export type RouteTls = (typeof ROUTE_TLS)[number]

/** `auto`: what DANE and MTA-STS of the domain ask for, otherwise whatever the server offers. */
export const DESTINATION_TLS = ['auto', 'never', 'may', 'encrypt', 'verify', 'dane'] as const
export type DestinationTls = (typeof DESTINATION_TLS)[number]

/** If nothing is said: mail for other domains is not taken. */
export const NO_RELAY: RelayConfig = { routes: [], tlsPolicies: [] }

/** The settings back in the words of the file. */
export function relayAsWritten({ routes, tlsPolicies }: RelayConfig) {
  const usual = routes.at(-1)
  const policies = tlsPolicies.map(({ domain, tls }) => [domain, tls] as const)
  return {
    ...(usual === undefined ? {} : wayAsWritten(usual)),
    ...(policies.length === 0 ? {} : { tls_policy: Object.fromEntries(policies) }),
    ...(routes.length < 2 ? {} : { route: routes.slice(0, -1).map(routeAsWritten) }),
  }
}

function routeAsWritten(route: RouteConfig) {
  const { senderDomains, recipientDomains, users } = route.match
  return {
    name: route.name,
    ...(senderDomains.length === 0 ? {} : { sender_domain: senderDomains }),
    ...(recipientDomains.length === 0 ? {} : { recipient_domain: recipientDomains }),
    ...(users.length === 0 ? {} : { user: users }),
    ...wayAsWritten(route),
  }
}

function wayAsWritten({ via, secret, tls, ca, concurrency, rate }: RouteConfig) {
  return {
    via: via === 'mx' ? ['mx'] : via.map(formatSmarthost),
    ...(secret === null ? {} : { [`${secret.kind}_file`]: secret.file }),
    tls,
    ...(ca === null ? {} : { ca }),
    concurrency,
    ...(rate === null ? {} : { rate: formatRate(rate) }),
  }
}
