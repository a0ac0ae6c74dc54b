/** How often something may happen: the contract of whoever counts it. */

export interface Limiter {
  /**
   * Asks whether `cost` more may happen under that key now, and counts it if so; what is refused
   * counts for nothing. At first `burst` may happen at once; what was used comes back at
   * `perSecond`. It is for the caller to go on when this rejects: a limit that cannot be counted
   * must not stop mail.
   * @param key what is counted for whom: `connect 192.0.2.7`
   * @param cost above 0. More than `burst` is never allowed
   * @param perSecond above 0
   * @param burst above 0
   * @throws RangeError for numbers that mean nothing
   */
  hit(key: string, cost: number, perSecond: number, burst: number): Promise<Verdict>

  /** What `hit` would say to the same now; counts nothing. */
  peek(key: string, cost: number, perSecond: number, burst: number): Promise<Verdict>
}

export interface Verdict {
  readonly allowed: boolean
  /** Milliseconds until the same would be allowed if nothing else happens; 0 if it was, `Infinity` for never. */
  readonly retryAfterMs: number
}
