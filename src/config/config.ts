/**
 * The settings of a server after everything was read, merged and checked:
 * what mailtap.toml says, with defaults filled in and paths made absolute.
 */

import type { Quota } from '../mail/quota.js'

export interface Config {
  /** Name in banner, EHLO reply and Received. */
  readonly hostname: string
  /** Directory for locks, temporary files and the self-signed certificate; absolute. */
  readonly state: string
  /** Checkers, `TYPE[:ARG]`, asked in this order. */
  readonly auth: readonly string[]
  readonly listen: {
    readonly smtp: readonly string[]
    readonly pop3: readonly string[]
    readonly pop3s: readonly string[]
  }
  /** By domain in canonical form (A-labels, lower case). */
  readonly domains: Readonly<Record<string, DomainConfig>>
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
  }
  readonly mailboxes: {
    /** Milliseconds that deleted mail is kept in the trash; `null` = it is removed for good at once. */
    readonly trashMs: number | null
  }
  readonly tls: { readonly cert: string; readonly key: string } | null
  readonly limits: {
    /** Largest message, octets on the wire (RFC 1870). */
    readonly messageSize: number
    /** Connections to one listener at once. */
    readonly connections: number
  }
  readonly log: {
    readonly format: 'text' | 'json'
    readonly level: 'debug' | 'info' | 'warn' | 'error'
  }
}

export interface DomainConfig {
  /** The domain's directory; absolute. */
  readonly path: string
  /** Mail for unknown local parts goes to postmaster. */
  readonly bounceToPostmaster: boolean
  /** aliases(5) file; absolute. It may be missing. */
  readonly aliases: string
  /** What each user may keep who has no quota of his own; `null` = as much as there is room for. */
  readonly quota: Quota | null
}
