/** Counts what waits, from what is in memory: no disk is asked. */
import type { Entry } from './entry.js'

/**
 * `active`: somebody is at it; `waiting` for its next try; `resting`: held, or somebody is still to
 * be told how it ended; `unread`: its file has not been looked at since the start.
 */
export type CensusState = 'active' | 'waiting' | 'resting' | 'unread'

/** By age, up to so much and above the one before. */
export type CensusAge = '5m' | '1h' | '4h' | '1d' | 'older'

export interface Census {
  /** How many messages. */
  readonly messages: Record<CensusState, Record<CensusAge, number>>
  /** Age of the oldest one, seconds; 0 if there is none of which it is known. */
  oldest: number
}

const AGES: readonly (readonly [age: CensusAge, seconds: number])[] = [
  ['5m', 300],
  ['1h', 3_600],
  ['4h', 14_400],
  ['1d', 86_400],
]

/** @param now milliseconds since 1970 */
export function censusOf(entries: Iterable<Entry>, now: number): Census {
  const messages = { active: none(), waiting: none(), resting: none(), unread: none() }
  const census: Census = { messages, oldest: 0 }
  for (const entry of entries) {
    if (entry.state === 'newer') continue
    const age = entry.received === 0 ? null : Math.max(0, (now - entry.received) / 1_000)
    // What was there before the start and was not read is older than all that came since.
    census.messages[stateOf(entry)][age === null ? 'older' : ageOf(age)]++
    if (age !== null && age > census.oldest) census.oldest = age
  }
  return census
}

function none(): Record<CensusAge, number> {
  return { '5m': 0, '1h': 0, '4h': 0, '1d': 0, older: 0 }
}

function stateOf({ state, loans, slot }: Entry): CensusState {
  if (state === 'unread') return 'unread'
  if (loans.length > 0) return 'active'
  return slot === null ? 'resting' : 'waiting'
}

function ageOf(seconds: number): CensusAge {
  return AGES.find(([, most]) => seconds <= most)?.[0] ?? 'older'
}
