/** What there is to be found when an address is followed, and what is told of each step. */
import type { Address } from '../mail/address.js'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import type { Quota } from '../mail/quota.js'
import type { ListEntry } from './alias-list.js'
import type { Aliases } from './aliases.js'
import type { Target } from './directory.js'

/** What stands between a user's name and what the user makes of it, if nothing else is said. */
export const DEFAULT_TAG_SEPARATOR = '+'

/** A mailbox that takes mail, as long as its quota lets it. */
export interface OpenMailbox {
  readonly quota: Quota | null
  /** Where its mail goes instead; empty if it stays. */
  readonly forward: readonly Address[]
  /** Forwarded mail stays here, too. */
  readonly keep: boolean
  /** The server that takes the mail instead of the mailbox. */
  readonly deliver: LmtpPlace | null
}

export type MailboxState = OpenMailbox | 'disabled' | 'none'
export type Soon<T> = T | Promise<T>

/** Everything throws when it cannot tell. */
export interface Names {
  owns(domain: string): boolean
  /** The domain that an alias domain stands for; every other domain itself. */
  canonical(domain: string): string
  /** One character, or empty for none. */
  tagSeparator(): string
  /** Who gets mail for unknown local parts; `null` = nobody. */
  fallback(domain: string): Address | null
  /** `null` if they cannot be read and never could. */
  aliases(domain: string): Soon<Aliases | null>
  /** What `:include:` names. @param path absolute */
  list(path: string): Promise<readonly ListEntry[]>
  /** @param address folded */
  mailbox(address: Address): Soon<MailboxState>
  /** Is told of each user who is disabled and gets nothing of what others get. @param of where the mail was sent to */
  leftOut?(user: Address, of: Address): void
}

/** Why an address leads to where it leads. */
export type Rule =
  | 'alias domain'
  | 'alias'
  | 'list'
  | 'tag'
  | 'forward'
  | 'catch-all'
  | 'postmaster'
  | 'target'
  | 'disabled'
  | 'nobody'
  | 'seen before'

/** One step on the way of an address. */
export interface Step {
  readonly rule: Rule
  /** How many aliases, lists and forwards led here. */
  readonly depth: number
  /** What the step is about, as a person writes it: an address, or the path of a list. */
  readonly of: string
  /** `file:line` of what says so; `null` if no file does. */
  readonly at: string | null
  /** Where mail goes, for the rule `target`. */
  readonly target: Target | null
}

/** Is told each step, in order. Must not throw. */
export type Observer = (step: Step) => void
