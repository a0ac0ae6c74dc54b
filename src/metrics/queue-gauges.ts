/** What waits in the queue, by what it waits for and for how long. */
import type { Registry } from './registry.js'

/** What a message in the queue waits for; queue/census.ts says what each means. */
export const QUEUE_STATES = ['active', 'waiting', 'resting', 'unread'] as const
/** Up to so many seconds; those that are older than all of them are `older`. */
export const QUEUE_AGES = { '5m': 300, '1h': 3_600, '4h': 14_400, '1d': 86_400, older: Infinity }

export type QueueState = (typeof QUEUE_STATES)[number]
export type QueueAge = keyof typeof QUEUE_AGES

/** How many messages there are. */
export interface QueueCensus {
  readonly messages: Readonly<Record<QueueState, Readonly<Record<QueueAge, number>>>>
  /** Age of the oldest one, seconds; 0 if there is none. */
  readonly oldest: number
}

/** Milliseconds: a queue can be long, and is not counted more often than that. */
const LEAST_MS = 5_000

/** @param census counts the queue now. @returns what ends the watch */
export function watchQueue(registry: Registry, census: () => QueueCensus): () => void {
  const ages = Object.keys(QUEUE_AGES) as QueueAge[]
  const messages = registry.gauge({
    name: 'mailtap_queue_messages',
    help: 'Messages in the queue by what they wait for and by age: up to that, and above the one before.',
    labels: { state: QUEUE_STATES, age: ages },
  })
  const oldest = registry.gauge({
    name: 'mailtap_queue_oldest_seconds',
    help: 'Age of the oldest message in the queue.',
    together: 'max',
  })
  let last = -Infinity
  return registry.collect(() => {
    if (performance.now() - last < LEAST_MS) return
    last = performance.now()
    const counted = census()
    oldest.of({}).set(counted.oldest)
    for (const state of QUEUE_STATES) {
      for (const age of ages) messages.of({ state, age }).set(counted.messages[state][age])
    }
  })
}
