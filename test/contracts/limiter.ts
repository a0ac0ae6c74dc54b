/** What every implementation of Limiter must do. */
import { describe, expect, test } from 'vitest'
import type { Limiter } from '../../src/limits/limits.js'

/** A fresh limiter, and how its time passes. */
export interface LimiterStage {
  readonly limiter: Limiter
  pass(milliseconds: number): Promise<void>
}

/** Runs the suite against fresh limiters from `make`. */
export function limiterContract(name: string, make: () => Promise<LimiterStage>): void {
  describe(`${name} as Limiter`, () => {
    test('lets a burst happen at once, and then no more', async () => {
      const { limiter } = await make()
      expect(await allowed(limiter, 10)).toBe(10)
      const { allowed: more, retryAfterMs } = await limiter.hit('a', 1, 1, 10)
      expect(more).toBe(false)
      expect(retryAfterMs).toBeGreaterThan(0)
      expect(retryAfterMs).toBeLessThanOrEqual(1000)
    })

    test('gives back as much as was promised, in the time that it named', async () => {
      const { limiter, pass } = await make()
      await allowed(limiter, 10)
      const { retryAfterMs } = await limiter.hit('a', 3, 1, 10)
      await pass(retryAfterMs)
      expect(await limiter.hit('a', 3, 1, 10)).toEqual({ allowed: true, retryAfterMs: 0 })
      expect((await limiter.hit('a', 1, 1, 10)).allowed).toBe(false)
    })

    test('counts nothing for what it refuses', async () => {
      const { limiter, pass } = await make()
      await allowed(limiter, 10)
      for (let i = 0; i < 50; i++) await limiter.hit('a', 10, 1, 10)
      await pass(1000)
      expect((await limiter.hit('a', 1, 1, 10)).allowed).toBe(true)
    })

    test('saves up no more than a burst', async () => {
      const { limiter, pass } = await make()
      await allowed(limiter, 10)
      await pass(60_000)
      expect(await allowed(limiter, 20)).toBe(10)
    })

    test('never allows at once what is more than a burst', async () => {
      const { limiter } = await make()
      expect(await limiter.hit('a', 11, 1, 10)).toEqual({ allowed: false, retryAfterMs: Infinity })
      expect((await limiter.hit('a', 10, 1, 10)).allowed).toBe(true)
    })

    test('counts each key for itself', async () => {
      const { limiter } = await make()
      await allowed(limiter, 10)
      for (const key of ['', 'A', '__proto__', 'a '.repeat(10_000), 'ü\0\n']) {
        expect(await allowed(limiter, 20, key)).toBe(10)
      }
      expect(await allowed(limiter, 1)).toBe(0)
    })

    test('allows as many of those who come at once as of those who come in turn', async () => {
      const { limiter } = await make()
      const all = await Promise.all(Array.from({ length: 50 }, () => limiter.hit('a', 1, 1, 10)))
      expect(all.filter((verdict) => verdict.allowed)).toHaveLength(10)
    })

    test('tells what it would say, and counts nothing for that', async () => {
      const { limiter } = await make()
      for (let i = 0; i < 20; i++) {
        expect(await limiter.peek('a', 10, 1, 10)).toEqual({ allowed: true, retryAfterMs: 0 })
      }
      expect(await allowed(limiter, 20)).toBe(10)
      const { allowed: more, retryAfterMs } = await limiter.peek('a', 1, 1, 10)
      expect(more).toBe(false)
      expect(retryAfterMs).toBeGreaterThan(0)
      expect(retryAfterMs).toBeLessThanOrEqual(1000)
      expect((await limiter.peek('a', 11, 1, 10)).retryAfterMs).toBe(Infinity)
    })

    test.each([
      [0, 1, 1],
      [-1, 1, 1],
      [1, 0, 1],
      [1, 1, 0],
      [Number.NaN, 1, 1],
      [1, Infinity, 1],
    ])('takes no numbers that mean nothing: %d, %d, %d', async (cost, perSecond, burst) => {
      const { limiter } = await make()
      await expect(limiter.hit('a', cost, perSecond, burst)).rejects.toThrow(RangeError)
      await expect(limiter.peek('a', cost, perSecond, burst)).rejects.toThrow(RangeError)
    })
  })
}

/** Of that many tries with one per second and a burst of ten. */
async function allowed(limiter: Limiter, tries: number, key = 'a'): Promise<number> {
  let count = 0
  for (let i = 0; i < tries; i++) if ((await limiter.hit(key, 1, 1, 10)).allowed) count++
  return count
}
