/** Spans of days as settings say them: `30d`, or `off` for none. */

const DAY_MS = 24 * 60 * 60 * 1000
const DAYS = /^([1-9]\d{0,4})d$/

/** @returns milliseconds, `null` for `off`, `undefined` for what is neither */
export function parseDays(text: string): number | null | undefined {
  if (text === 'off') return null
  const days = DAYS.exec(text)?.[1]
  return days === undefined ? undefined : Number(days) * DAY_MS
}

/** The text that `parseDays` took. */
export const formatDays = (ms: number | null): string => (ms === null ? 'off' : `${ms / DAY_MS}d`)
