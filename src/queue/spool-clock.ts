/** The two clocks of a spool: what people call the time, which can be set, and one that only goes forward. */

export interface SpoolClock {
  /** Milliseconds since 1970. */
  now(): number
  /** Whole milliseconds since some moment; nobody can set it. */
  steady(): number
}

export const systemClock: SpoolClock = {
  now: () => Date.now(),
  steady: () => Math.floor(performance.now()),
}
