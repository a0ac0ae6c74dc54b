/**
 * When a message is tried again, when its sender is told that it waits, and when we give up
 * (RFC 5321 section 4.5.4.1: soon at first, then ever more rarely, for four to five days).
 */

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Doublings after which no wait is short of any maximum: more would only overflow. */
const MAX_DOUBLINGS = 30
/** Milliseconds; no try is moved closer than that to the one before it. */
const MIN_WAIT = MINUTE

/** All but `jitter` in milliseconds. */
export interface Schedule {
  /** Wait after the first try; it doubles with each further one. */
  readonly firstMs: number
  /** What no wait is longer than. */
  readonly maxMs: number
  /** By which share at most a wait is shortened at random: what failed together must not come again together. 0 to 1. */
  readonly jitter: number
  /** Waiting for so long, the sender is told of it, once. */
  readonly delayWarningMs: number
  /** Waiting for so long, the message goes back. */
  readonly expireMs: number
}

export const DEFAULT_SCHEDULE: Schedule = {
  firstMs: 5 * MINUTE,
  maxMs: 4 * HOUR,
  jitter: 0.1,
  delayWarningMs: 4 * HOUR,
  expireMs: 5 * 24 * HOUR,
}

/**
 * Milliseconds until the next try.
 * @param attempts how often it was tried, at least once
 * @param waitedMs how long the message has waited; a try is moved forward to the moment at which a
 *   warning or the end is due, so that nobody hears of it hours later
 * @param random 0 to below 1
 */
export function waitAfter(
  attempts: number,
  waitedMs: number,
  schedule: Schedule,
  random: () => number,
): number {
  const { firstMs, maxMs, jitter, delayWarningMs, expireMs } = schedule
  const doublings = Math.min(Math.max(attempts - 1, 0), MAX_DOUBLINGS)
  const longest = Math.min(maxMs, firstMs * 2 ** doublings)
  const wait = longest * (1 - jitter * random())
  const events = [delayWarningMs, expireMs].filter((at) => at > waitedMs)
  const event = Math.min(...events) - waitedMs
  return Math.round(Math.min(wait, Math.max(event, MIN_WAIT)))
}
