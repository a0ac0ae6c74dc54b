/**
 * A log whose events are counted, at every level, also those that are not written: what is worth
 * telling is worth counting, and so it is said in one place of the code, not in two.
 */

/** As log/log.ts has it, which this folder does not import. */
type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>
const LEVELS = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof LEVELS)[number]
type Teller = Readonly<Record<Level, (event: string, fields?: Fields) => void>>

/** Told of an event. Must not throw. */
export type Count = (fields: Fields) => void

const NO_FIELDS: Fields = {}

/**
 * @param counts event → who counts it
 * @param levels told of every event of that level
 */
export function countingLog(
  log: Teller,
  counts: ReadonlyMap<string, Count>,
  levels: Partial<Readonly<Record<Level, () => void>>> = {},
): Teller {
  const at = (level: Level): Teller[Level] => {
    const counted = levels[level] ?? nothing
    return (event, fields) => {
      counted()
      counts.get(event)?.(fields ?? NO_FIELDS)
      log[level](event, fields)
    }
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

function nothing(): void {}
