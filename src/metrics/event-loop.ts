/** How late the event loop is: while it is busy no client gets an answer. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks'
import type { Registry } from './registry.js'

/** Milliseconds between two looks; what is measured includes them. */
const RESOLUTION_MS = 20
/** Milliseconds that a measurement lasts at least: two who ask at once see the same. */
const LEAST_MS = 5_000
const NANOSECONDS = 1e9

const STATS = ['mean', 'p50', 'p99', 'max'] as const
type Stat = (typeof STATS)[number]

/** @returns what ends the watch */
export function watchEventLoop(registry: Registry): () => void {
  const lag = registry.gauge({
    name: 'mailtap_event_loop_lag_seconds',
    help: 'How late the event loop was since it was asked last.',
    labels: { stat: STATS },
    together: 'max',
    perWorker: true,
  })
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delay.enable()
  let since = performance.now()
  const end = registry.collect(() => {
    // Nothing was measured yet.
    if (delay.max === 0) return
    for (const stat of STATS) lag.of({ stat }).set(secondsOf(delay, stat))
    if (performance.now() - since < LEAST_MS) return
    delay.reset()
    since = performance.now()
  })
  return () => {
    end()
    delay.disable()
  }
}

function secondsOf(delay: IntervalHistogram, stat: Stat): number {
  const lateness: Record<Stat, () => number> = {
    mean: () => delay.mean,
    p50: () => delay.percentile(50),
    p99: () => delay.percentile(99),
    max: () => delay.max,
  }
  return Math.max(0, lateness[stat]() / NANOSECONDS - RESOLUTION_MS / 1_000)
}
