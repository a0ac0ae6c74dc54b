/** Sums up which accounts store a clear secret (the one that APOP and CRAM-MD5 need). Pure. */
import { clearSecret, type Secrets, type User } from './directory.js'

type Account = Pick<User, 'password' | 'disabled'>

/** What one account stores; `null` if nobody can log in to it, so that it counts for nothing. */
export function secretsOf({ password, disabled }: Account): Secrets | null {
  if (disabled || password === null) return null
  return clearSecret(password) === null ? 'none' : 'all'
}

/** What two groups of accounts store together; `null` is a group that nobody can log in to. */
export function together(one: Secrets | null, other: Secrets | null): Secrets | null {
  if (one === null || one === other) return other
  return other === null ? one : 'some'
}
