/** Spans of time and rates as settings say them: `5m`, `4h`, `5d`, and `100/min`. */

const UNITS = new Map([
  ['s', 1_000],
  ['m', 60_000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])
const SPAN = /^([1-9]\d{0,5})(s|m|min|h|d)$/
const RATE = /^([1-9]\d{0,4})\/(s|m|min|h|d)$/

/** So many in each span of that length. */
export interface Rate {
  readonly count: number
  /** Milliseconds. */
  readonly periodMs: number
}

/** @returns milliseconds; `undefined` if the text is no span */
export function parseSpan(text: string): number | undefined {
  const [, number, unit] = SPAN.exec(text) ?? []
  return number === undefined ? undefined : Number(number) * UNITS.get(unit!)!
}

/** In the largest unit that it is a whole number of. */
export function formatSpan(ms: number): string {
  const [unit, length] = largest((each) => ms % each === 0)
  return `${ms / length}${unit}`
}

/** @returns `undefined` if the text is no rate */
export function parseRate(text: string): Rate | undefined {
  const [, number, unit] = RATE.exec(text) ?? []
  return number === undefined ? undefined : { count: Number(number), periodMs: UNITS.get(unit!)! }
}

export function formatRate({ count, periodMs }: Rate): string {
  const [unit] = largest((each) => each === periodMs)
  return `${count}/${unit === 'm' ? 'min' : unit}`
}

function largest(fits: (length: number) => boolean): [unit: string, length: number] {
  const units = [...UNITS].filter(([unit]) => unit !== 'min')
  return units.findLast(([, length]) => fits(length)) ?? ['s', 1_000]
}
