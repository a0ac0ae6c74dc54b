/** The table that POP3 servers are compared in: a row is told as soon as it is known. */
import type { Taken } from './pop3-server.js'
import { line, median, say } from './report.js'

const WIDTHS = [56, 11, 11, 14, 12]
/** With more of a core than this the driver may be what limits a figure. */
const DRIVER_LIMIT = 0.7

export interface Row {
  readonly figure: string
  readonly unit: 'ms' | '/s' | 'MB/s' | 'KB' | 'MB'
  /** One for each server, mailtap's first, that of the tuned Dovecot last. */
  readonly values: readonly number[]
  /** What the driver used, if it is the driver's speed that could be measured. */
  readonly drivers?: readonly number[]
}

export function headline(): void {
  const columns = ['', 'mailtap', 'Dovecot', 'Dovecot tuned', 'times better', 'driver, % of a core']
  say(line(columns, WIDTHS))
}

export function row({ figure, unit, values, drivers = [] }: Row): void {
  const cells = [0, 1, 2].map((at) => told(values[at], unit))
  const shares = drivers.map((share) => (share * 100).toFixed(0)).join('/')
  const limited = Math.max(0, ...drivers) > DRIVER_LIMIT ? ' (may be the limit)' : ''
  const note = `  ${shares}${limited}`
  say(`${line([figure, ...cells, better(values, unit)], WIDTHS)}${note}`.trimEnd())
}

/** @param figure of each run, one for each server */
export function rowOf(
  figure: string,
  unit: Row['unit'],
  found: readonly (readonly Taken[])[],
  value: (taken: Taken) => readonly number[],
): void {
  const values = found.map((all) => median(all.flatMap(value)))
  row({ figure, unit, values, drivers: found.map((all) => median(all.map((one) => one.driver))) })
}

/** The CPU of all of a server's processes, for each thing that was done. */
export function cpuRow(found: readonly (readonly Taken[])[]): void {
  const values = found.map((all) => median(all.map(({ cpu, count }) => cpu / count)))
  row({ figure: '  CPU of it', unit: 'ms', values })
}

/** How many times better mailtap is than the tuned Dovecot: below 1 it is worse, whatever the unit. */
function better(values: readonly number[], unit: Row['unit']): string {
  const [ours, , theirs] = values
  if (ours === undefined || theirs === undefined) return '-'
  const ratio = unit.endsWith('/s') ? ours / theirs : theirs / ours
  return ratio.toFixed(2)
}

function told(value: number | undefined, unit: Row['unit']): string {
  if (value === undefined) return '-'
  const digits = [10, 100].filter((limit) => value < limit).length
  return `${value.toFixed(digits)}${unit.startsWith('/') ? '' : ' '}${unit}`
}
