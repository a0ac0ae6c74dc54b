/** Sums up which accounts store what a login without a password on the wire needs. Pure. */
import { clearSecret, type Share, type User } from './directory.js'

type Account = Pick<User, 'password' | 'scram' | 'disabled'>

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

/** What one account stores. */
export function sharesOf({ password, scram, disabled }: Account): Shares {
  if (disabled || password === null) return NOBODY
  const clear = clearSecret(password) !== null
  return { secrets: clear ? 'all' : 'none', scram: clear || scram !== null ? 'all' : 'none' }
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
