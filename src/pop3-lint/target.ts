/** Whom the rows are run against, and as whom. */

/** `tls` from the first octet, `stls` as a command (RFC 2595), or none. */
export type Security = 'clear' | 'stls' | 'tls'

export interface Target {
  readonly host: string
  readonly port: number
  readonly security: Security
  /** Whether the certificate must be trusted before a password goes over it. */
  readonly verify: boolean
  /** How long any single answer may take. */
  readonly timeoutMs: number
}

export interface Account {
  readonly user: string
  readonly password: string
}
