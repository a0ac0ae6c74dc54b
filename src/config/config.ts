/**
 * The settings of a server after everything was read, merged and checked:
 * what mailtap.toml says, with defaults filled in and paths made absolute.
 */

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
    /** RFC 1939 section 7. `auto`: offered while every account that can log in can serve it. */
    readonly apop: 'auto' | 'on' | 'off'
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
}
