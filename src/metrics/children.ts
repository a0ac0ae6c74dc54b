/** The counters, gauges and histograms themselves: a number or a few, and nothing else. */
import type { Counter, Gauge, Histogram } from './metrics.js'

/** A child that can be read. */
export interface Readable {
  readonly value: number
  readonly counts: readonly number[]
}

const NO_COUNTS: readonly number[] = []

export class PlainCounter implements Counter, Readable {
  readonly counts = NO_COUNTS
  value = 0

  add(by = 1): void {
    // Not a number fails this, too.
    if (by > 0 && by < Infinity) this.value += by
  }

  reach(total: number): void {
    if (total > this.value && total < Infinity) this.value = total
  }
}

export class PlainGauge implements Gauge, Readable {
  readonly counts = NO_COUNTS
  value = 0

  set(value: number): void {
    if (Number.isFinite(value)) this.value = value
  }

  add(by: number): void {
    if (Number.isFinite(by)) this.value += by
  }
}

export class PlainHistogram implements Histogram, Readable {
  value = 0
  readonly #bounds: readonly number[]
  readonly #counts: Float64Array

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Float64Array(bounds.length + 1)
  }

  get counts(): readonly number[] {
    return [...this.#counts]
  }

  observe(value: number): void {
    if (!Number.isFinite(value)) return
    // There are a dozen, and most values are small: no search is faster than to go through them.
    let at = 0
    while (at < this.#bounds.length && value > this.#bounds[at]!) at++
    this.#counts[at]! += 1
    this.value += value
  }
}
