import fc from 'fast-check'
import { expect, test } from 'vitest'
import { RateCap } from '../../src/relay/rate-cap.js'

const rate = fc.record({
  count: fc.integer({ min: 1, max: 5 }),
  periodMs: fc.integer({ min: 1, max: 100 }),
})
const steps = fc.array(fc.nat({ max: 60 }), { maxLength: 200 })

test('in no span of that length does more begin than the rate has', () => {
  fc.assert(
    fc.property(rate, steps, (said, waits) => {
      let now = 0
      const cap = new RateCap(said, () => now)
      const begun: number[] = []
      for (const wait of waits) {
        now += wait
        const { free } = cap
        expect(cap.take()).toBe(free > 0)
        if (free > 0) begun.push(now)
        const within = begun.filter((at) => at > now - said.periodMs)
        expect(within.length).toBeLessThanOrEqual(said.count)
        expect(cap.free).toBe(said.count - within.length)
      }
    }),
  )
})

test('the pause is as long as it has to be and no longer', () => {
  fc.assert(
    fc.property(rate, steps, (said, waits) => {
      let now = 0
      const cap = new RateCap(said, () => now)
      for (const wait of waits) {
        now += wait
        const { pauseMs } = cap
        expect(pauseMs === 0).toBe(cap.free > 0)
        if (pauseMs > 0) {
          now += pauseMs - 1
          expect(cap.free).toBe(0)
          now += 1
        }
        expect(cap.take()).toBe(true)
      }
    }),
  )
})

test('a burst up to the rate need not wait, and a lower rate counts what has begun', () => {
  let now = 0
  const cap = new RateCap({ count: 100, periodMs: 60_000 }, () => now)
  for (let i = 0; i < 100; i++) expect(cap.take()).toBe(true)
  expect(cap.pauseMs).toBe(60_000)
  cap.change({ count: 10, periodMs: 60_000 })
  expect([cap.free, cap.pauseMs]).toEqual([0, 60_000])
  now = 60_000
  expect(cap.free).toBe(10)
})
