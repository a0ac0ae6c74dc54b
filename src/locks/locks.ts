/** Who may work on a thing alone, such as a mailbox during a POP3 session. */

/** A lock without a fencing token is not a lock: a holder that was thought dead may wake up. */
export interface Lease {
  /** Grows with every lease of the same name. */
  readonly token: number
  /**
   * False once the lease was lost or released. Looks at the facts, not at what it
   * remembers: ask before anything that cannot be undone.
   * @throws Error when it cannot tell
   */
  valid(): boolean
  /** The holder does something: it counts as idle from now on, not from before. Cheap enough for every command. */
  touch(): void
  /**
   * Calls back, once, when the lease is found to be somebody else's: at once if that is in this
   * process, else within a few seconds, or with a `touch()` before that. Not after `release()`.
   */
  onLost(callback: () => void): void
  /** Safe to call twice. */
  release(): Promise<void>
}

export interface Locks {
  /**
   * @param takeoverMs a holder that has been idle for so long loses its lease to us; by default none does
   * @returns `null` if somebody else holds it
   */
  tryAcquire(name: string, takeoverMs?: number): Promise<Lease | null>
}
