/**
 * Numbers that a running server tells of itself: the contract of whoever counts. What counts gets
 * its child once, when the server is put together; to count costs an addition then, and no text is
 * made. The values of every label are a closed list: nothing that a client wrote can become one.
 */

/** Only grows. */
export interface Counter {
  /** @param by 0 or more, 1 if nothing is said; what is no such number counts for nothing */
  add(by?: number): void
  /** What is counted elsewhere stands at this now; less than before changes nothing. */
  reach(total: number): void
}

/** Goes up and down. */
export interface Gauge {
  /** @param value what is not finite changes nothing */
  set(value: number): void
  add(by: number): void
}

/** How many of the values seen were how large. */
export interface Histogram {
  /** @param value in the unit of the name; what is not finite counts for nothing */
  observe(value: number): void
}

/** Name of a label → the values that it can have, and no others. */
export type Labels = Readonly<Record<string, readonly string[]>>
export type NoLabels = Readonly<Record<string, never>>

/** One value for each label. */
export type Values<L extends Labels> = { readonly [Name in keyof L]: L[Name][number] }

export interface Description<L extends Labels> {
  /** As Prometheus wants it: unit at the end, `_total` for a counter. */
  readonly name: string
  readonly help: string
  readonly labels?: L
  /** Of each process by itself: among several it is told apart even where others are summed. */
  readonly perWorker?: boolean
}

export interface GaugeDescription<L extends Labels> extends Description<L> {
  /** What several processes have together; their sum if nothing is said. */
  readonly together?: 'sum' | 'max' | 'min'
}

export interface HistogramDescription<L extends Labels> extends Description<L> {
  /** Upper bounds, ascending, without infinity. */
  readonly bounds: readonly number[]
}

/** All children of one metric; they exist from the start, so that a zero is seen as one. */
export interface Family<Child, L extends Labels> {
  /** For whoever puts things together, not for each event. @throws RangeError for values that are not in the lists */
  of(values: Values<L>): Child
}
