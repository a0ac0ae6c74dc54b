/** All metrics of one process: makes them, and says what they are now. */
import { setTimeout as sleep } from 'node:timers/promises'
import { PlainCounter, PlainGauge, PlainHistogram, type Readable } from './children.js'
import { KnownFamily } from './family.js'
import type {
  Counter,
  Description,
  Family,
  Gauge,
  GaugeDescription,
  Histogram,
  HistogramDescription,
  Labels,
  NoLabels,
} from './metrics.js'
import type { FamilySnapshot, Snapshot } from './snapshot.js'

/** Each bucket is a line for each child. */
const MAX_BOUNDS = 50
/** Milliseconds that a snapshot waits for whoever looks something up: a disk may hang. */
const COLLECT_MS = 3_000

/** Looks something up and puts it into gauges, just before they are read. Should not throw. */
export type Collector = () => void | Promise<void>

export class Registry {
  readonly #families = new Map<string, { snapshot(): FamilySnapshot }>()
  readonly #collectors = new Set<Collector>()
  #collecting: Promise<Snapshot> | null = null

  /** @throws RangeError for a name that is taken or is none */
  counter<const L extends Labels = NoLabels>(description: Description<L>): Family<Counter, L> {
    const kind = { type: 'counter', together: 'sum', bounds: [] } as const
    return this.#enter(description, new KnownFamily(description, kind, () => new PlainCounter()))
  }

  /** @throws RangeError for a name that is taken or is none */
  gauge<const L extends Labels = NoLabels>(description: GaugeDescription<L>): Family<Gauge, L> {
    const kind = { type: 'gauge', together: description.together ?? 'sum', bounds: [] } as const
    return this.#enter(description, new KnownFamily(description, kind, () => new PlainGauge()))
  }

  /** @throws RangeError for a name that is taken or is none, and for bounds that do not ascend */
  histogram<const L extends Labels = NoLabels>(
    description: HistogramDescription<L>,
  ): Family<Histogram, L> {
    const { name, bounds } = description
    mustAscend(name, bounds)
    const kind = { type: 'histogram', together: 'sum', bounds } as const
    const make = (): PlainHistogram => new PlainHistogram(bounds)
    return this.#enter(description, new KnownFamily(description, kind, make))
  }

  /** Asked before each snapshot. @returns what ends that */
  collect(collector: Collector): () => void {
    this.#collectors.add(collector)
    return () => this.#collectors.delete(collector)
  }

  /**
   * What all of them are now. Who asks while another snapshot is being made gets that one.
   * A collector that fails or takes long leaves its metrics as they were and the others alone.
   */
  snapshot(): Promise<Snapshot> {
    return (this.#collecting ??= this.#snapshot().finally(() => (this.#collecting = null)))
  }

  async #snapshot(): Promise<Snapshot> {
    const limit = new AbortController()
    const late = sleep(COLLECT_MS, undefined, limit).catch(() => {})
    const all = Promise.allSettled([...this.#collectors].map(async (collector) => collector()))
    await Promise.race([all, late])
    limit.abort()
    return { families: [...this.#families.values()].map((family) => family.snapshot()) }
  }

  #enter<Child extends Readable, L extends Labels>(
    { name }: Description<L>,
    family: KnownFamily<Child, L>,
  ): KnownFamily<Child, L> {
    if (this.#families.has(name)) throw new RangeError(`${name} is there already`)
    this.#families.set(name, family)
    return family
  }
}

function mustAscend(name: string, bounds: readonly number[]): void {
  const good = bounds.every(
    (bound, at) => Number.isFinite(bound) && bound > (bounds[at - 1] ?? -Infinity),
  )
  if (good && bounds.length > 0 && bounds.length <= MAX_BOUNDS) return
  throw new RangeError(`${name}: bounds must be 1 to ${MAX_BOUNDS} finite numbers that ascend`)
}
