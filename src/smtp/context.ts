/** What the states of one SMTP session share. */
import type { Peer } from '../cred/credentials.js'
import type { Portal } from '../cred/portal.js'
import type { Login } from '../cred/realm.js'
import type { Log } from '../log/log.js'
import type { Address } from '../mail/address.js'
import type { Avatars } from '../mail/avatars.js'
import type { Notice, Opening } from '../mail/envelope.js'
import type { Sender } from '../mail/sender.js'
import type { Histogram } from '../metrics/metrics.js'
import type { TlsFacts } from '../net/session.js'
import type { Auth } from './auth.js'
import type { Role } from './role.js'

/** Which logins can be offered besides passwords over TLS; asked each time. */
export interface Logins {
  /** Challenges that need a secret stored in clear (CRAM-MD5). */
  secrets(): boolean
  scram(): boolean
}

/** How many; asked each time, a reload changes them. */
export interface SmtpLimits {
  readonly messagesPerConnection: number
  readonly recipientsPerMessage: number
  /** Mistakes of a client before it is sent away. */
  readonly errors: number
  /** Commands between two messages that move no mail. */
  readonly junkCommands: number
}

/** What a client may do only so often, however many connections it has. */
export type Paced = 'message' | 'recipient'

/** Durations, in seconds. */
interface SmtpMetrics {
  /** Of logins, failed ones included. */
  readonly loginSeconds: Histogram
  /** From the end of a message to the answer. */
  readonly acceptSeconds: Histogram
}

/** What one SMTP server has for all of its sessions. */
export interface SmtpOptions {
  readonly role: Role
  readonly logins: Logins
  readonly portal: Portal<Avatars>
  readonly hostname: string
  /** Largest message in octets on the wire (RFC 1870); asked anew, so that a reload can change it. */
  maxSize(): number
  limits(): SmtpLimits
  /** Counts one of them; false if that is too many from there. Never rejects. */
  paced(what: Paced, address: string): boolean | Promise<boolean>
  /** True if the server at that address may say for whom it speaks. */
  xclientFrom(address: string): boolean
  /** True if too few file descriptors are left to take one more message; without it there are enough. */
  filesShort?(): boolean
  /** True if STARTTLS can be offered. */
  tlsAvailable(): boolean
  /** Where `<postmaster>` without a domain belongs (RFC 5321 section 4.5.1). */
  postmaster(): Address | null
  /** For messages too large for memory. */
  readonly temporaryDirectory: string
  readonly log: Log
  /** Without it nothing is counted but what the log is told. */
  readonly metrics?: SmtpMetrics
  /** Makes what the challenges of SASL hold that nobody can guess; random by default, fixed in a test. */
  readonly nonce?: () => string
}

/** A transaction between MAIL and the end of its body: the envelope as it grows. */
export interface Draft {
  readonly opening: Opening
  /** By identity: who is named twice gets one copy. */
  readonly to: Map<string, Address>
  /** Identities in the order in which they were named, also those named twice (RFC 2033 section 4.2). */
  readonly named: string[]
  /** By identity: what was asked for when it was named first. */
  readonly notices: Map<string, Notice>
}

/** Mutable on purpose: it is the memory of one session. */
export interface Context {
  readonly options: SmtpOptions
  peer: Peer
  tls: TlsFacts | null
  login: Login<Sender> | null
  /** `null` where nobody logs in. */
  auth: Auth | null
  /** The address of a client that may say for whom it speaks; `null` for any other. */
  readonly front: string | null
  /** Messages that it began. */
  messages: number
  /** What the client called itself. */
  helo: string
  esmtp: boolean
  draft: Draft | null
}

/** The sender that this session speaks for. Only a session that greeted has one. */
export function sender(context: Context): Sender {
  if (context.login === null) throw new Error('no sender before the greeting')
  return context.login.avatar
}
