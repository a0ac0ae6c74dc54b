/**
 * Several processes as one: counters and histograms are summed, gauges as their family says. What a
 * process counted that has ended stays counted: a sum that falls looks like a server that began anew.
 */
import type { FamilySnapshot, Label, Series, Snapshot } from './snapshot.js'

/** The label that tells processes apart. */
const WORKER = 'worker'

type Togetherness = FamilySnapshot['together']

const TWO: Readonly<Record<Togetherness, (a: number, b: number) => number>> = {
  sum: (a, b) => a + b,
  max: Math.max,
  min: Math.min,
}

/**
 * All of them as one. Where a family is not the same in two of them (a worker of another version),
 * the first counts.
 */
export function merge(snapshots: readonly Snapshot[]): Snapshot {
  const merged = new Map<string, FamilySnapshot>()
  for (const family of snapshots.flatMap(({ families }) => families)) {
    const before = merged.get(family.name)
    merged.set(family.name, before === undefined ? family : joined(before, family))
  }
  return { families: [...merged.values()] }
}

/**
 * What the page of a server shows.
 * @param workers snapshots by the names of their processes
 * @param apart `some`: only families of which each process has its own, the others are summed
 */
export function gathered(
  workers: ReadonlyMap<string, Snapshot>,
  apart: 'some' | 'all' = 'some',
): Snapshot {
  const named = [...workers].map(([worker, { families }]) => ({
    families: families.map((family) => {
      return apart === 'all' || family.perWorker ? of(family, worker) : family
    }),
  }))
  return merge(named)
}

/** What is kept of a process that has ended, to be given to {@link merge} with the others from then on. */
export function remains({ families }: Snapshot): Snapshot {
  return { families: families.filter(({ type, perWorker }) => type !== 'gauge' && !perWorker) }
}

function of(family: FamilySnapshot, worker: string): FamilySnapshot {
  const series = family.series.map(({ labels, ...rest }) => {
    return { labels: [...labels, [WORKER, worker] as const], ...rest }
  })
  return { ...family, series }
}

function joined(one: FamilySnapshot, other: FamilySnapshot): FamilySnapshot {
  if (one.type !== other.type || String(one.bounds) !== String(other.bounds)) return one
  const series = new Map(one.series.map((each) => [keyOf(each.labels), each]))
  for (const each of other.series) {
    const before = series.get(keyOf(each.labels))
    const sum = before === undefined ? each : together(before, each, one.together)
    series.set(keyOf(each.labels), sum)
  }
  return { ...one, series: [...series.values()] }
}

function together(one: Series, other: Series, how: Togetherness): Series {
  const counts = one.counts.map((count, at) => count + (other.counts[at] ?? 0))
  return { labels: one.labels, value: TWO[how](one.value, other.value), counts }
}

function keyOf(labels: readonly Label[]): string {
  return JSON.stringify(labels)
}
