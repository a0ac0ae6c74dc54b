import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DEFAULT_SCHEDULE, type Schedule, waitAfter } from '../../src/queue/schedule.js'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const always = (value: number) => () => value

const schedules = fc
  .record({
    firstMs: fc.integer({ min: 1, max: HOUR }),
    factor: fc.integer({ min: 1, max: 1_000 }),
    jitter: fc.double({ min: 0, max: 1, noNaN: true }),
    delayWarningMs: fc.integer({ min: 0, max: 1_000 * HOUR }),
    expireMs: fc.integer({ min: 1, max: 1_000 * HOUR }),
  })
  .map(({ factor, ...rest }): Schedule => ({ ...rest, maxMs: rest.firstMs * factor }))
const tries = fc.integer({ min: 1, max: 10_000 })
const randoms = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('the wait for the next try', () => {
  it('doubles from five minutes to four hours', () => {
    const waits = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((attempts) =>
      waitAfter(attempts, 10 * HOUR, DEFAULT_SCHEDULE, always(0)),
    )
    const minutes = [5, 10, 20, 40, 80, 160, 240, 240, 240]
    expect(waits).toEqual(minutes.map((each) => each * MINUTE))
  })

  it('is shortened by chance, by a tenth at most', () => {
    expect(waitAfter(1, 0, DEFAULT_SCHEDULE, always(0.5))).toBe(4.75 * MINUTE)
    expect(waitAfter(1, 0, DEFAULT_SCHEDULE, always(0.999_999))).toBeCloseTo(4.5 * MINUTE, -2)
  })

  it('ends when a warning or the end is due', () => {
    const left = (waited: number) => waitAfter(20, waited, DEFAULT_SCHEDULE, always(0))
    expect(left(3 * HOUR)).toBe(HOUR)
    expect(left(119 * HOUR)).toBe(HOUR)
    expect(left(120 * HOUR - 1)).toBe(MINUTE)
    expect(left(121 * HOUR)).toBe(4 * HOUR)
  })

  it('is never negative, never longer than the longest, whatever is configured', () => {
    fc.assert(
      fc.property(
        schedules,
        tries,
        fc.nat(2_000 * HOUR),
        randoms,
        (schedule, n, waited, random) => {
          const wait = waitAfter(n, waited, schedule, always(random))
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThanOrEqual(schedule.maxMs)
          expect(Number.isSafeInteger(wait)).toBe(true)
        },
      ),
    )
  })

  it('never becomes shorter with more tries', () => {
    fc.assert(
      fc.property(
        schedules,
        tries,
        fc.nat(2_000 * HOUR),
        randoms,
        (schedule, n, waited, random) => {
          const [one, more] = [n, n + 1].map((each) =>
            waitAfter(each, waited, schedule, always(random)),
          )
          expect(more).toBeGreaterThanOrEqual(one!)
        },
      ),
    )
  })

  it('keeps within the jitter while nothing else is due', () => {
    fc.assert(
      fc.property(schedules, tries, randoms, (schedule, n, random) => {
        const over = Math.max(schedule.expireMs, schedule.delayWarningMs)
        const wait = waitAfter(n, over, schedule, always(random))
        const longest = Math.min(schedule.maxMs, schedule.firstMs * 2 ** Math.min(n - 1, 30))
        expect(wait).toBeGreaterThanOrEqual(Math.floor(longest * (1 - schedule.jitter)))
        expect(wait).toBeLessThanOrEqual(longest)
      }),
    )
  })
})
