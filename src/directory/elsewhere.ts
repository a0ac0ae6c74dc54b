/**
 * Users who have no user file but are known to some other database: what mail finds of them. Those
 * who were found are remembered for a short time, so that a busy recipient costs no question each.
 */
import { performance } from 'node:perf_hooks'
import { identity, type Address } from '../mail/address.js'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import { limiting, type Quota } from '../mail/quota.js'
import type { KnownUser, KnownUsers, User } from './directory.js'
import type { MailboxState } from './names.js'

/** Milliseconds that a user who was removed may still get mail. */
const FOUND_FOR = 10_000
/** Milliseconds that a new user may have to wait, so that a list of guesses is not asked twice. */
const MISSED_FOR = 1_000
/** Addresses that are remembered at once. */
const MAX_REMEMBERED = 10_000

/** Of a server whose users all have a file. */
export const NOBODY_ELSE: KnownUsers = { find: async () => null }

interface Remembered {
  readonly user: KnownUser | null
  readonly until: number
}

/** Several databases as one: the first that knows a user counts. */
export class Elsewhere implements KnownUsers {
  readonly #sources: readonly KnownUsers[]
  readonly #now: () => number
  readonly #remembered = new Map<string, Remembered>()

  /** @param now milliseconds of a clock that never goes back; the system's unless a test brings its own */
  constructor(sources: readonly KnownUsers[], now = () => performance.now()) {
    this.#sources = sources
    this.#now = now
  }

  async find(address: Address): Promise<KnownUser | null> {
    const id = identity(address)
    const known = this.#remembered.get(id)
    if (known !== undefined && known.until > this.#now()) return known.user
    const user = await this.#ask(address)
    if (this.#remembered.size >= MAX_REMEMBERED) this.#remembered.clear()
    const until = this.#now() + (user === null ? MISSED_FOR : FOUND_FOR)
    this.#remembered.set(id, { user, until })
    return user
  }

  /** Whoever cannot tell does not hide the users of the others, and makes nobody unknown. */
  async #ask(address: Address): Promise<KnownUser | null> {
    const failures: unknown[] = []
    for (const source of this.#sources) {
      try {
        const user = await source.find(address)
        if (user !== null) return user
      } catch (error) {
        failures.push(error)
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'a user database cannot tell')
    return null
  }
}

/** The account of such a user, who logs in by other means than a stored password. @param quota the domain's */
export function loginless(
  address: Address,
  known: KnownUser | null,
  quota: Quota | null,
): User | null {
  if (known === null) return null
  const { name, disabled } = known
  const login = { password: null, scram: null, disabled }
  return { address, ...login, name, quota: limiting(known.quota ?? quota) }
}

/** What mail finds there. @param quota the domain's @param deliver the domain's */
export function openMailbox(
  known: KnownUser | null,
  quota: Quota | null,
  deliver: LmtpPlace | null,
): MailboxState {
  if (known === null) return 'none'
  if (known.disabled) return 'disabled'
  return { quota: limiting(known.quota ?? quota), forward: [], keep: false, deliver }
}
