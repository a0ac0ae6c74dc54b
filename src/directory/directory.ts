/** Who and what is ours: domains, users, aliases. */
import { isUtf8 } from 'node:buffer'
import { type Address, formatAddress, identity } from '../mail/address.js'
import { formatLmtpPlace, type LmtpPlace } from '../mail/lmtp-place.js'
import type { Quota } from '../mail/quota.js'
import type { AppPassword } from './app-password.js'

export { type AppPassword, dayOf, opens } from './app-password.js'

const CLEAR = /^\{(?:PLAIN|CLEARTEXT|CLEAR)(?:\.(B64|BASE64|HEX))?\}(.+)$/is
const SCRAM = /^\{SCRAM-SHA-256\}([^,]*),([^,]*),([^,]*),([^,]*)$/i

export interface User {
  /** Canonical: the local part folded, the domain as configured. */
  readonly address: Address
  /** The stored password in one of the forms that checkers/passwords.ts knows; `null` = no login. */
  readonly password: string | null
  /** The keys that SCRAM needs, as they are stored; `null` if there are none, or no login. A clear secret needs none. */
  readonly scram: string | null
  /** Protocols (as in `Peer`) that the password itself opens; absent or `null` = all. */
  readonly passwordProtocols?: readonly string[] | null
  /** Further passwords, each for a program of its own; absent = none. */
  readonly appPasswords?: readonly AppPassword[]
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

  /**
   * Puts a better stored form of the same password in the place of an outdated one, where the store
   * can be written and its owner wants that; never in the place of any other than `was`. Absent
   * where neither can be. Never rejects: what goes wrong is logged, and the old form goes on to do.
   * @param make called only if something will be written
   */
  improve?(user: Address, was: string, make: () => Promise<StoredLogin>): Promise<void>

  /** Takes down that an app password was used today. Absent where nothing keeps that. Never rejects. */
  noteUse?(user: Address, appPassword: string): Promise<void>
}

/** A user whom a checker's back end knows, so that no user file is needed. */
export interface KnownUser {
  /** `null` = the domain's. */
  readonly quota: Quota | null
  /** For people; `null` if nobody says. */
  readonly name: string | null
  /** No login and no new mail. */
  readonly disabled: boolean
}

/** A user database that is not in files of ours. */
export interface KnownUsers {
  /**
   * @param address canonical: the local part folded, the domain one of ours and no alias domain
   * @returns `null` if there is no such user
   * @throws when it cannot tell: that is 4xx, never "no such user"
   */
  find(address: Address): Promise<KnownUser | null>
}

/** What is stored of a password. */
export interface StoredLogin {
  readonly stored: string
  /** The keys of SCRAM for the same password; `null` if there shall be none. */
  readonly scram: string | null
}

/**
 * The secret itself, if the stored form of a password holds it in clear: `{PLAIN}…`, `{CLEARTEXT}…`
 * or `{CLEAR}…`, also encoded as `{PLAIN.B64}…` or `{PLAIN.HEX}…`. `null` for every other form.
 */
export function clearSecret(stored: string): string | null {
  const [, encoding = '', text] = CLEAR.exec(stored) ?? []
  if (text === undefined) return null
  if (encoding === '') return text
  const hex = encoding.toUpperCase() === 'HEX'
  const bytes = Buffer.from(text, hex ? 'hex' : 'base64')
  // What is no such encoding would be decoded as far as it goes: a shorter password.
  const again = bytes.toString(hex ? 'hex' : 'base64').replace(/=+$/, '')
  const whole = again === (hex ? text.toLowerCase() : text.replace(/=+$/, ''))
  return whole && isUtf8(bytes) ? bytes.toString() || null : null
}

/**
 * The keys of SCRAM-SHA-256 in the form of cred/scram.ts, if the stored form of a password is
 * nothing but these: `{SCRAM-SHA-256}rounds,salt,StoredKey,ServerKey`, or PostgreSQL's.
 */
export function storedScram(stored: string): string | null {
  if (stored.startsWith('SCRAM-SHA-256$')) return stored
  const [, rounds, salt, keys, more] = SCRAM.exec(stored) ?? []
  return rounds === undefined ? null : `SCRAM-SHA-256$${rounds}:${salt}$${keys}:${more}`
}
