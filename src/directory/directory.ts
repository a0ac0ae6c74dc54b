/** Who and what is ours: domains, users, aliases. */
import type { Address } from '../mail/address.js'
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
export interface Target {
  readonly kind: 'mailbox'
  /** Canonical address of the user whose mailbox it is. */
  readonly user: Address
  /** As in `User`. */
  readonly quota: Quota | null
}

/** How many of the accounts that can log in can do so in some way. */
export type Share = 'none' | 'some' | 'all'

/** Every method throws when it cannot tell: that is 4xx, never "no such user". */
export interface Directory {
  /** True if mail to this domain (canonical form) is ours to deliver. */
  owns(domain: string): Promise<boolean>

  /**
   * Follows aliases, postmaster, abuse and catch-all to the mailboxes behind an address.
   * @returns no target at all if nobody is there, each target once otherwise
   * @throws Refusal when aliases loop, explode or name something that cannot be delivered to
   */
  resolve(address: Address): Promise<readonly Target[]>

  /** The user with exactly that address (aliases are not followed), read anew each time. */
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
