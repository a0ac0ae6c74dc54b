/** Counts what one process sees: enough where one process serves all sessions, and the reference for those that reach further. */
import { createHash } from 'node:crypto'
import type { Limiter, Verdict } from './limits.js'

const MAX_KEYS = 100_000
/** A longer key is kept by its hash: some come from clients. */
const MAX_KEY_LENGTH = 128
/** Milliseconds that sums of fractions may be off by. */
const ROUNDING = 0.001

export interface MemoryLimiterOptions {
  readonly maxKeys?: number
  /** Milliseconds of a clock that never goes back; the system's unless a test brings its own. */
  readonly now?: () => number
}

interface Bucket {
  readonly perSecond: number
  readonly burst: number
  /** Not only asked about. */
  readonly counts: boolean
}

/**
 * A token bucket each, of which one number is enough: the moment at which it will be full again.
 * A bucket that is full is like one that was never used, and is not kept.
 */
export class MemoryLimiter implements Limiter {
  readonly #maxKeys: number
  readonly #now: () => number
  /** Key → when it is full again. The one that was asked for longest ago comes first. */
  readonly #open = new Map<string, number>()
  /** The same, of keys that were refused when they were asked for last. */
  readonly #blocked = new Map<string, number>()

  constructor({ maxKeys = MAX_KEYS, now = () => performance.now() }: MemoryLimiterOptions = {}) {
    this.#maxKeys = maxKeys
    this.#now = now
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.#open.size + this.#blocked.size
  }

  async hit(key: string, cost: number, perSecond: number, burst: number): Promise<Verdict> {
    return this.#judge(key, cost, { perSecond, burst, counts: true })
  }

  async peek(key: string, cost: number, perSecond: number, burst: number): Promise<Verdict> {
    return this.#judge(key, cost, { perSecond, burst, counts: false })
  }

  #judge(key: string, cost: number, { perSecond, burst, counts }: Bucket): Verdict {
    mustBePositive({ cost, perSecond, burst })
    const name = key.length <= MAX_KEY_LENGTH ? key : digest(key)
    const now = this.#now()
    const full = Math.max(now, this.#open.get(name) ?? this.#blocked.get(name) ?? now)
    const after = full + (cost / perSecond) * 1000
    const waitMs = after - now - (burst / perSecond) * 1000
    const allowed = cost <= burst && waitMs <= ROUNDING
    this.#remember(name, allowed && counts ? after : full, allowed)
    if (allowed) return { allowed, retryAfterMs: 0 }
    return { allowed, retryAfterMs: cost > burst ? Infinity : Math.ceil(waitMs) }
  }

  #remember(name: string, full: number, allowed: boolean): void {
    this.#open.delete(name)
    this.#blocked.delete(name)
    if (full <= this.#now()) return
    if (this.size >= this.#maxKeys) this.#forgetOne()
    const place = allowed ? this.#open : this.#blocked
    place.set(name, full)
  }

  /**
   * Who is blocked must not get rid of that by making others known: it goes last, unless its time is over.
   */
  #forgetOne(): void {
    const [blocked, until = Infinity] = this.#blocked.entries().next().value ?? []
    const [open] = this.#open.keys()
    if (blocked !== undefined && (open === undefined || until <= this.#now())) {
      this.#blocked.delete(blocked)
    } else if (open !== undefined) this.#open.delete(open)
  }
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('base64')
}

function mustBePositive(numbers: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(numbers)) {
    if (!(value > 0 && value < Infinity)) throw new RangeError(`${name} is ${value}, not above 0`)
  }
}
