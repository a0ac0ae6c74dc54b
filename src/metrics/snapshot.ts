/** What all metrics of a process were at one moment, as plain JSON: goes from process to process, and is summed. */

export interface Snapshot {
  readonly families: readonly FamilySnapshot[]
}

export interface FamilySnapshot {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** What the values of several processes are together. */
  readonly together: 'sum' | 'max' | 'min'
  readonly perWorker: boolean
  /** Of a histogram: upper bounds without infinity; else empty. */
  readonly bounds: readonly number[]
  readonly series: readonly Series[]
}

export interface Series {
  /** Names and values. */
  readonly labels: readonly Label[]
  /** Of a histogram: the sum of all that was seen. */
  readonly value: number
  /** Of a histogram: how many lay up to each bound and above the one before; the last: above all. */
  readonly counts: readonly number[]
}

export type Label = readonly [name: string, value: string]
