/** A clock that nobody can set: the same for all processes of this machine, and new with each boot. */

/** Milliseconds since some moment of this boot. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
