/**
 * The settings of a server after everything was read, merged and checked:
 * what mailtap.toml says, with defaults filled in and paths made absolute.
 */

import type { Address } from '../mail/address.js'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import type { Quota } from '../mail/quota.js'
import type { Limits } from './limits.js'
import type { FilterConfig } from './filter-config.js'
import type { MetricsConfig } from './metrics-config.js'
import type { Listen } from './protocols.js'
import type { QueueConfig } from './queue-config.js'
import type { RelayConfig } from './relay-config.js'
import type { RunConfig } from './run-config.js'
import type { SmtpConfig } from './smtp-config.js'

export interface Config {
  /** Name in banner, EHLO reply and Received. */
  readonly hostname: string
  /** Directory for locks, temporary files and the self-signed certificate; absolute. */
  readonly state: string
  /** Checkers, `TYPE[:ARG]`, asked in this order. */
  readonly auth: readonly string[]
  /** True: outdated password hashes in user files are replaced after a login. */
  readonly rehash?: boolean
  readonly listen: Listen
  /** By domain in canonical form (A-labels, lower case). */
  readonly domains: Readonly<Record<string, DomainConfig>>
  /** Other names of domains (A-labels, lower case), and which of the domains each stands for. */
  readonly aliasDomains: Readonly<Record<string, string>>
  /** Between a user's name and a tag, as in `alice+shop`: one character; empty for no tags. */
  readonly tagSeparator: string
  /** Where logins without `@domain` belong; a domain of the above, or `null`. */
  readonly defaultDomain: string | null
  readonly pop3: {
    /** Whether passwords may come in clear from other machines (RFC 8314 section 3). */
    readonly plaintext: 'tls-only' | 'always'
    /** RFC 1939 section 7. `auto`: offered while every account that can log in can serve it. */
    readonly apop: 'auto' | 'on' | 'off'
    /** RFC 7677. `auto`: offered while every account that can log in can serve it. */
    readonly scram: 'auto' | 'on' | 'off'
    /** Seconds between two logins of one user (RFC 2449 section 6.5); 0 for no such rule. */
    readonly loginDelay: number
    /** Seconds without a command after which a session loses its mailbox to a newer login; 0 for never. */
    readonly takeoverAfter: number
    /** What CAPA says of how long mail is kept (RFC 2449 section 6.7): days, or `NEVER`. */
    readonly expire: string
    /** The language of `LANG *` (RFC 6856 section 3). */
    readonly language: 'en' | 'de'
    /** `strict`: headers in UTF-8 only for clients that have said UTF8 (RFC 6856 section 5). */
    readonly utf8: 'as-is' | 'strict'
  }
  readonly smtp: SmtpConfig
  readonly submission: {
    /** Whoever has logged in may send as anybody. */
    readonly anySender: boolean
  }
  readonly mailboxes: {
    /** Milliseconds that deleted mail is kept in the trash; `null` = it is removed for good at once. */
    readonly trashMs: number | null
  }
  /** Where no certificate of a domain fits; `null` = a self-signed one. */
  readonly tls: TlsPair | null
  readonly limits: Limits
  /** What looks at mail from strangers. */
  readonly filter: FilterConfig
  /** The way of mail to other domains. */
  readonly relay: RelayConfig
  /** How long mail waits. */
  readonly queue: QueueConfig
  /** Its processes. */
  readonly run: RunConfig
  /** The port for those who watch the server; absent = there is none. */
  readonly metrics?: MetricsConfig
  readonly log: {
    readonly format: 'text' | 'json'
    readonly level: 'debug' | 'info' | 'warn' | 'error'
  }
}

/** PEM files; absolute. */
export interface TlsPair {
  readonly cert: string
  readonly key: string
}

export interface DomainConfig {
  /** The domain's directory; absolute. */
  readonly path: string
  /** Mail for unknown local parts goes to postmaster. */
  readonly bounceToPostmaster: boolean
  /** Who gets mail for unknown local parts; `null` = nobody, or postmaster. */
  readonly catchAll: Address | null
  /** The LMTP server of users whose file names none; `null` = their mailboxes are here. */
  readonly deliver: LmtpPlace | null
  /** aliases(5) file; absolute. It may be missing. */
  readonly aliases: string
  /** What each user may keep who has no quota of his own; `null` = as much as there is room for. */
  readonly quota: Quota | null
  /** For clients that ask for a name in that certificate; `null` = the server's. */
  readonly tls: TlsPair | null
}
