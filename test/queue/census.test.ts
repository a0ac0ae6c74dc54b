import { describe, expect, it } from 'vitest'
import { censusOf } from '../../src/queue/census.js'
import type { Entry } from '../../src/queue/entry.js'

const NOW = 1_800_000_000_000
const HOUR = 3_600_000

function entry(changes: Partial<Entry>): Entry {
  const plain = { id: 'A', shard: 0, received: NOW, since: 0, state: 'known' } as const
  return { ...plain, slot: null, item: null, loans: [], ...changes }
}

describe('the census of the queue', () => {
  it('is empty where nothing waits', () => {
    const { messages, oldest } = censusOf([], NOW)
    expect(oldest).toBe(0)
    expect(Object.values(messages).flatMap((ages) => Object.values(ages))).toEqual(
      Array.from({ length: 20 }, () => 0),
    )
  })

  it('tells messages apart by what they wait for and by age', () => {
    const lent = { loans: [{ due: 0, place: -1, token: 1, recipients: [0] }] } as never
    const { messages, oldest } = censusOf(
      [
        entry({ received: NOW - 1_000, ...(lent as object) }),
        entry({ received: NOW - 2 * HOUR, slot: {} as never }),
        entry({ received: NOW - 48 * HOUR }),
        entry({ received: 0, state: 'unread' }),
        entry({ received: NOW - 900 * HOUR, state: 'newer' }),
      ],
      NOW,
    )
    expect(messages.active['5m']).toBe(1)
    expect(messages.waiting['4h']).toBe(1)
    expect(messages.resting.older).toBe(1)
    expect(messages.unread.older).toBe(1)
    expect(oldest).toBe(48 * 3_600)
  })

  it('takes what comes from the future, after a clock was set, for new', () => {
    expect(censusOf([entry({ received: NOW + HOUR })], NOW).messages.resting['5m']).toBe(1)
  })
})
