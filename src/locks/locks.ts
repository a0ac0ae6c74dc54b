/** Who may work on a thing alone, such as a mailbox during a POP3 session. */

/** A lock without a fencing token is not a lock: a holder that was thought dead may wake up. */
export interface Lease {
  /** Grows with every lease of the same name. */
  readonly token: number
  /** False once the lease was lost or released. */
  valid(): boolean
  /** Safe to call twice. */
  release(): Promise<void>
}

export interface Locks {
  /** @returns `null` if somebody else holds it */
  tryAcquire(name: string): Promise<Lease | null>
}
