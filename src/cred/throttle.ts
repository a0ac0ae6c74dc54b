/**
 * Who guesses passwords is slowed down or sent away before anybody works out a
 * hash for him. The contract of what the portal asks before its checkers.
 */
import type { NamedCredentials } from './credentials.js'

/** Who somebody says to be, and where. */
export type Claim = Pick<NamedCredentials, 'peer' | 'username'>

export interface Throttle {
  /**
   * Resolves when the attempt may be judged, which may be some seconds later. Decides by names
   * and places only, in the same way for names that nobody has.
   * @throws LoginThrottled when too many logins failed
   */
  admit(claim: Claim): Promise<Attempt>
}

/** A login that is being judged: whoever got one says once how it ended. */
export interface Attempt {
  /** @param outcome `unknown` when nobody could tell: that counts for nothing. Never rejects */
  ended(outcome: 'accepted' | 'refused' | 'unknown'): Promise<void>
}
