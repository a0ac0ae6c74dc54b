/** What a type of checkers is: what it is told, what it can judge, and how one of them is made. */
import type { Checker } from '../cred/checker.js'
import type { Kind } from '../cred/credentials.js'
import type { Directory, KnownUsers } from '../directory/directory.js'
import type { Slots } from './slots.js'

/** What the server has that a checker may need. */
export interface Parts {
  readonly directory: Directory
  readonly slots: Slots
  /** 32 octets that only this server knows, the same after a restart. */
  readonly secret: Buffer
}

/** A checker that may also know who its users are, and may hold connections. */
export interface UserChecker extends Checker {
  /** Whom mail can be for without a user file; absent where nobody can ask without a password. */
  readonly users?: KnownUsers
  /** Gives back what it holds. Never rejects. */
  close?(): Promise<void>
}

export interface CheckerType {
  /** One line for people. */
  readonly help: string
  /** The form of the argument, as a person reads it; `null` if there is none. */
  readonly argument: string | null
  readonly example: string
  /** The credentials that its checkers can judge. */
  readonly kinds: readonly Kind[]
  /** True if its users need no file in `.users`. */
  readonly knowsUsers: boolean
  /** The npm package that it needs and that may be missing. */
  readonly needs?: string
  /**
   * @param argument what stood after the first colon; `null` if there was none
   * @throws BadChecker
   */
  make(argument: string | null, parts: Parts): UserChecker
}

/** A checker that the config names and that cannot be made; the message says what can. */
export class BadChecker extends Error {
  override readonly name = 'BadChecker'
}
