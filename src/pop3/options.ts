/** What a POP3 server is told by whoever builds it, and its limits by name. */
import type { Portal } from '../cred/portal.js'
import type { Log } from '../log/log.js'
import type { Avatars } from '../mail/avatars.js'
import type { Histogram } from '../metrics/metrics.js'
import { MAX_RESPONSE } from '../sasl/exchange.js'
import { MAX_PASSWORD } from '../sasl/text.js'

/** Octets of a command line with its line end (RFC 2449 section 4). */
export const MAX_COMMAND = 255
/** Octets of the longest command taken, `PASS`, a space and the line end around a password. */
export const MAX_LINE = MAX_PASSWORD + 'PASS \r\n'.length
/** Octets of a response to a SASL challenge, with its line end. */
export const MAX_RESPONSE_LINE = MAX_RESPONSE + '\r\n'.length
/** Milliseconds without a command: RFC 1939 section 3 allows no less than ten minutes. */
export const IDLE_MS = 10 * 60 * 1000
/** Wrong passwords in one connection. */
export const MAX_LOGIN_FAILURES = 3
/** Lines before the login that are no command of that state: whoever sends them does not speak POP3. */
export const MAX_UNKNOWN = 3
/** Commands that were answered with an error of the client's making, before the login and again after it. */
export const MAX_ERRORS = 20

export interface Pop3Options {
  readonly portal: Portal<Avatars>
  readonly log: Log
  /** Seconds that logins take, failed ones included; without it nothing is counted but what the log is told. */
  readonly metrics?: { readonly loginSeconds: Histogram }
  /** Stands in the greeting and in the APOP challenge. */
  readonly hostname: string
  /** True if STLS can be carried out: asked each time, certificates come and go. */
  tlsAvailable(): boolean
  /** True if the greeting shall offer APOP, and AUTH CRAM-MD5: asked for each connection. */
  readonly apopOffered: () => boolean
  /** True if AUTH shall offer SCRAM-SHA-256: asked each time. */
  readonly scramOffered: () => boolean
  /**
   * `tls-only`: USER is refused in clear unless the client is on this machine,
   * so no password is ever sent (RFC 8314 section 3). Asked each time.
   */
  readonly plaintextLogins?: () => 'always' | 'tls-only'
  /** Seconds between two logins of one user that the realm insists on, 0 for none: for CAPA (RFC 2449 section 6.5). */
  readonly loginDelay?: () => number
  /** How long mail is kept for sure, for CAPA (RFC 2449 section 6.7): days, or `NEVER`, which is the default. */
  readonly expire?: () => string
  /** Tag of the language for `LANG *`; English by default. */
  readonly language?: () => string
  /**
   * `strict`: who has not said UTF8 gets no message whose header is not ASCII (RFC 6856
   * section 5); by default everybody gets everything as it is. Asked each time.
   */
  readonly utf8?: () => 'as-is' | 'strict'
  /** Instead of {@link MAX_ERRORS}. */
  readonly maxErrors?: number
  /** Makes the part of an APOP challenge before the `@`; unique by default, fixed in a test. */
  readonly challenge?: () => string
  /** Makes what the challenges of SASL hold that nobody can guess; random by default, fixed in a test. */
  readonly nonce?: () => string
}
