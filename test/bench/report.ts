/** How a benchmark tells what it found. */

export const say = (text = ''): void => void process.stdout.write(`${text}\n`)

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Columns as wide as what stands in them; the first begins at the left. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)))
  for (const row of rows) say(line(row, widths))
}

/** One row of a table whose widths are known before its rows are. */
export function line(cells: readonly string[], widths: readonly number[]): string {
  const padded = cells.map((cell, i) =>
    i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
  )
  return `  ${padded.join('  ')}`.trimEnd()
}
