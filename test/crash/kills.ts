/** How often the crash tests kill, and when. */

/** Kills of each kind: few here, many with `npm run crash`. */
export const KILLS = parseKills(process.env['MAILTAP_KILLS'])
/** Milliseconds for a kill and a new start, on a machine that does much else. */
export const KILL_MS = 30_000

/** How often the kill waits for the work to begin; else it may come before that. */
const AIMED = 0.8
/** Milliseconds until the kill comes anyway. */
const MAX_WAIT_MS = 2_000
const MIN_SPAN_MS = 0.05
const MAX_SPAN_MS = 200

function parseKills(text = '10'): number {
  if (!/^[1-9]\d{0,4}$/.test(text))
    throw new Error('MAILTAP_KILLS is a whole number from 1 to 99999')
  return Number(text)
}

/** Random moments of work that is under way. Learns how long it takes, so that most lie within it. */
export class Moment {
  #spanMs: number

  /** @param spanMs how long the work may take; what is learned tells better */
  constructor(spanMs: number) {
    this.#spanMs = spanMs
  }

  /** @param begun true once the work is under way */
  async come(begun: () => boolean): Promise<void> {
    if (Math.random() < AIMED) await until(begun)
    const at = performance.now() + Math.random() * this.#spanMs
    await until(() => performance.now() >= at)
  }

  /** @param late true if the work was done when the kill came */
  learn(late: boolean): void {
    const span = this.#spanMs * (late ? 0.8 : 1.1)
    this.#spanMs = Math.min(Math.max(span, MIN_SPAN_MS), MAX_SPAN_MS)
  }
}

/** Not by a timer: a millisecond is long here. */
async function until(so: () => boolean): Promise<void> {
  const end = performance.now() + MAX_WAIT_MS
  while (!so() && performance.now() < end) await new Promise(setImmediate)
}
