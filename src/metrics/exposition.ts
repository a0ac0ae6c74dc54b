/** The text that Prometheus reads: its exposition format, version 0.0.4. Sorted, so that two of them can be compared. */
import type { FamilySnapshot, Label, Series, Snapshot } from './snapshot.js'

export const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** All families by name, each with what it is and means; ends in LF. */
export function exposition({ families }: Snapshot): string {
  return families
    .toSorted((a, b) => order(a.name, b.name))
    .map(family)
    .join('')
}

function family(each: FamilySnapshot): string {
  const { name, help, type, series } = each
  const lines = series.map((one) =>
    type === 'histogram' ? histogram(each, one) : plain(name, one),
  )
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n${sorted(series, lines).join('')}`
}

/** By their labels: a histogram's buckets stay in the order of their bounds. */
function sorted(series: readonly Series[], lines: readonly string[]): string[] {
  const keyed = series.map(({ labels }, at) => [braces(labels), lines[at]!] as const)
  return keyed.toSorted(([a], [b]) => order(a, b)).map(([, line]) => line)
}

function plain(name: string, { labels, value }: Series): string {
  return sample(name, labels, value)
}

function histogram({ name, bounds }: FamilySnapshot, { labels, value, counts }: Series): string {
  let below = 0
  const buckets = counts.map((count, at) => {
    below += count
    const le = ['le', number(bounds[at] ?? Infinity)] as const
    return sample(`${name}_bucket`, [...labels, le], below)
  })
  return `${buckets.join('')}${sample(`${name}_sum`, labels, value)}${sample(`${name}_count`, labels, below)}`
}

function sample(name: string, labels: readonly Label[], value: number): string {
  return `${name}${braces(labels)} ${number(value)}\n`
}

function braces(labels: readonly Label[]): string {
  if (labels.length === 0) return ''
  return `{${labels.map(([name, value]) => `${name}="${quoted(value)}"`).join(',')}}`
}

function number(value: number): string {
  if (Number.isFinite(value)) return String(value)
  if (Number.isNaN(value)) return 'NaN'
  return value > 0 ? '+Inf' : '-Inf'
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function quoted(text: string): string {
  return escaped(text).replaceAll('"', '\\"')
}

/** The same on every machine, whatever its language. */
function order(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
