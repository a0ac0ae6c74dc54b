/**
 * Logins that went well a short time ago: a mail program that asks for mail every minute need not
 * have argon2 worked out each time, and does not wait behind those who guess. What is kept tells
 * nothing about a password but to this process, and fits only the stored form it was checked
 * against: with another one, the login is checked anew.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** Milliseconds after a check in which it counts. */
const LASTING_MS = 10 * 60_000
/** Users, at some 200 bytes each. */
const MAX_USERS = 20_000

interface Recent {
  readonly digest: Buffer
  /** By the clock of the constructor. */
  readonly until: number
}

export class RecentLogins {
  /** Of this process alone, and never written down: a copy of the memory of another one is no help. */
  readonly #key = randomBytes(32)
  /** By id, the one noted longest first. */
  readonly #recent = new Map<string, Recent>()
  readonly #now: () => number

  /** @param now milliseconds of a clock that never goes back; the system's unless a test brings its own */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  /** True if that password opened that user's account lately, and its stored form is still the same. */
  has(id: string, stored: string, password: string): boolean {
    const recent = this.#recent.get(id)
    if (recent === undefined) return false
    if (recent.until <= this.#now()) {
      this.#recent.delete(id)
      return false
    }
    return timingSafeEqual(recent.digest, this.#digest(id, stored, password))
  }

  /** Notes a login that went well; the one before it is forgotten. */
  note(id: string, stored: string, password: string): void {
    this.#recent.delete(id)
    const [oldest] = this.#recent.keys()
    if (this.#recent.size >= MAX_USERS && oldest !== undefined) this.#recent.delete(oldest)
    const digest = this.#digest(id, stored, password)
    this.#recent.set(id, { digest, until: this.#now() + LASTING_MS })
  }

  /** Of all three, each behind its length, so that none can borrow from its neighbour. */
  #digest(id: string, stored: string, password: string): Buffer {
    const hmac = createHmac('sha256', this.#key)
    for (const part of [id, stored, password]) hmac.update(`${part.length} `).update(part)
    return hmac.digest()
  }
}
