/** Who and what is ours: domains, users, aliases. */
import { type Address, formatAddress, identity } from '../mail/address.js'
import { formatLmtpPlace, type LmtpPlace } from '../mail/lmtp-place.js'
import type { Quota } from '../mail/quota.js'

export interface User {
  /** Canonical: the local part folded, the domain as configured. */
  readonly address: Address
  /** The stored password in one of the forms that checkers/passwords.ts knows; `null` = no login. */
  readonly password: string | null
  /** The keys that SCRAM needs, as they are stored; `null` if there are none, or no login. A clear secret needs none. */
  readonly scram: string | null
  /** No login and no new mail; mail that is there stays. */
  readonly disabled: boolean
  /** For people, not for the protocols. */
  readonly name: string | null
  /** How much mail the user may keep, the domain's setting considered; `null` = as much as there is room for. */
  readonly quota: Quota | null
}

/** Where mail for an address goes in the end. */
export type Target =
  | MailboxTarget
  | ProgramTarget
  | FileTarget
  | MaildirTarget
  | LmtpTarget
  | DiscardTarget
  | RemoteTarget

export interface MailboxTarget {
  readonly kind: 'mailbox'
  /** Canonical address of the user whose mailbox it is. */
  readonly user: Address
  /** As in `User`. */
  readonly quota: Quota | null
}

/** The message is the standard input of a program. */
export interface ProgramTarget {
  readonly kind: 'program'
  /** The program (an absolute path) and its arguments; no shell ever sees them. */
  readonly command: readonly string[]
  /** The alias that names it, with the tag that it was written with. */
  readonly of: Address
  /** What stood behind the separator in `alias+extension`; `null` if there was none. */
  readonly extension: string | null
}

/** Appended to an mbox file. */
export interface FileTarget {
  readonly kind: 'file'
  /** Absolute. */
  readonly path: string
  /** The alias that names it. */
  readonly of: Address
}

/** Delivered into a Maildir that is no user's mailbox. */
export interface MaildirTarget {
  readonly kind: 'maildir'
  /** Absolute, without a slash at its end. */
  readonly path: string
  /** The alias that names it. */
  readonly of: Address
}

/** Handed to an LMTP server. */
export interface LmtpTarget {
  readonly kind: 'lmtp'
  readonly endpoint: LmtpPlace
  /** Canonical address of the user. */
  readonly to: Address
}

/** Taken and thrown away, because the administrator said so. */
export interface DiscardTarget {
  readonly kind: 'discard'
  /** The alias that says it. */
  readonly of: Address
}

/** An address of a domain that is not ours. */
export interface RemoteTarget {
  readonly kind: 'remote'
  readonly address: Address
  /** Who forwards: the alias, or the user. */
  readonly of: Address
}

/** One string per place: two targets of the same place get one copy of a message. */
export function placeOf(target: Target): string {
  switch (target.kind) {
    case 'mailbox':
      return `mailbox ${identity(target.user)}`
    case 'lmtp':
      return `lmtp ${formatLmtpPlace(target.endpoint)} ${identity(target.to)}`
    case 'remote':
      return `remote ${formatAddress(target.address)}`
    case 'program':
      return `program ${JSON.stringify(target.command)} ${target.extension ?? ''} ${identity(target.of)}`
    case 'file':
    case 'maildir':
      return `${target.kind} ${target.path}`
    case 'discard':
    default:
      return `${target.kind} ${identity(target.of)}`
  }
}

/** How many of the accounts that can log in can do so in some way. */
export type Share = 'none' | 'some' | 'all'

/** Every method throws when it cannot tell: that is 4xx, never "no such user". */
export interface Directory {
  /** True if mail to this domain (canonical form) is ours to deliver; alias domains are. */
  owns(domain: string): Promise<boolean>

  /**
   * Follows alias domains, aliases, forwards, `user+tag`, postmaster, abuse and catch-all to where
   * mail for an address goes.
   * @returns no target at all if nobody is there, each target once otherwise
   * @throws Refusal 451 when aliases loop, explode or name something that cannot be delivered to;
   *   550 when the user is disabled or an alias says `:fail:`
   */
  resolve(address: Address): Promise<readonly Target[]>

  /** The user with exactly that address (of aliases, only alias domains are followed), read anew each time. */
  user(address: Address): Promise<User | null>

  /** The address that a bare login name means: the default domain's. `null` if there is none. */
  qualify(login: string): Address | null

  /**
   * Which accounts a challenge (APOP, CRAM-MD5) can serve: those that store a clear secret. `all`
   * only if there is an account that can log in and each one that can is such, `some` also while
   * that is not known. Never waits: what changed in the last minute may not be in it yet. Does not throw.
   */
  secrets(): Share

  /** Which accounts SCRAM can serve, in the same way: those with its keys or with a clear secret. */
  scram(): Share
}

/**
 * The secret itself, if the stored form of a password holds it in clear:
 * `{PLAIN}…` or `{CLEARTEXT}…`. `null` for every other form.
 */
export function clearSecret(stored: string): string | null {
  return /^\{(?:PLAIN|CLEARTEXT)\}(.+)$/is.exec(stored)?.[1] ?? null
}
