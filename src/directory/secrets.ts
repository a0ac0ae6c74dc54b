/** Sums up which accounts store what a login without a password on the wire needs. Pure. */
import { clearSecret, type Share, storedScram, type User } from './directory.js'

type Account = Pick<User, 'password' | 'scram' | 'disabled' | 'passwordProtocols' | 'appPasswords'>

/** What a group of accounts stores; `null` where nobody of them can log in, so that they count for nothing. */
export interface Shares {
  /** A clear secret, which APOP and CRAM-MD5 need. */
  readonly secrets: Share | null
  /** What SCRAM needs: its keys, or a clear secret to make them of. */
  readonly scram: Share | null
}

/** Of nobody who can log in. */
export const NOBODY: Shares = { secrets: null, scram: null }
/** Of accounts that are there and serve nothing. */
export const NOTHING: Shares = { secrets: 'none', scram: 'none' }
/** Of accounts that nobody knows: that offers nothing to all, and refuses nobody. */
export const UNKNOWN: Shares = { secrets: 'some', scram: 'some' }

/**
 * What one account stores. Who uses an app password, or may not use the password everywhere, is
 * served by neither: a program that is offered a challenge takes it, and would be refused.
 */
export function sharesOf(account: Account): Shares {
  const { password, scram, disabled, passwordProtocols = null, appPasswords = [] } = account
  const apps = appPasswords.length > 0
  if (disabled || (password === null && !apps)) return NOBODY
  if (password === null || apps || passwordProtocols !== null) return NOTHING
  const clear = clearSecret(password) !== null
  const keys = clear || scram !== null || storedScram(password) !== null
  return { secrets: clear ? 'all' : 'none', scram: keys ? 'all' : 'none' }
}

/** What two groups of accounts store together. */
export function together(one: Shares, other: Shares): Shares {
  return {
    secrets: joined(one.secrets, other.secrets),
    scram: joined(one.scram, other.scram),
  }
}

function joined(one: Share | null, other: Share | null): Share | null {
  if (one === null || one === other) return other
  return other === null ? one : 'some'
}
