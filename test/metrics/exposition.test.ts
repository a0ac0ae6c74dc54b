import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exposition } from '../../src/metrics/exposition.js'
import { Registry } from '../../src/metrics/registry.js'
import type { FamilySnapshot, Snapshot } from '../../src/metrics/snapshot.js'
import { parsePage } from '../helpers/prometheus-text.js'

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,12}$/)
const text = fc.string({ unit: 'binary', maxLength: 20 })
const labels = fc
  .uniqueArray(name, { maxLength: 3 })
  .chain((names) => fc.tuple(...names.map((each) => fc.tuple(fc.constant(each), text))))
const value = fc.oneof(fc.double(), fc.integer())
const series = (bounds: number) =>
  fc.record({
    labels,
    value,
    counts: fc.array(fc.nat(), { minLength: bounds + 1, maxLength: bounds + 1 }),
  })
const common = { name, help: text, together: fc.constant('sum' as const), perWorker: fc.boolean() }
const unique = {
  maxLength: 4,
  selector: (each: { labels: unknown }) => JSON.stringify(each.labels),
}
const family = fc.oneof(
  fc.record({
    ...common,
    type: fc.constantFrom('counter' as const, 'gauge' as const),
    bounds: fc.constant([]),
    series: fc.uniqueArray(series(-1), unique),
  }),
  fc.record({
    ...common,
    type: fc.constant('histogram' as const),
    bounds: fc.constant([0.5, 1, 30]),
    series: fc.uniqueArray(series(3), unique),
  }),
) satisfies fc.Arbitrary<FamilySnapshot>
const snapshot: fc.Arbitrary<Snapshot> = fc
  .uniqueArray(family, { maxLength: 5, selector: (each) => each.name })
  // A histogram adds names of its own.
  .filter((all) => !all.some((one) => all.some((two) => two.name.startsWith(`${one.name}_`))))
  .map((families) => ({ families }))

describe('the text for Prometheus', () => {
  it('says what a strict reader of the format understands, whatever stands in labels and help', () => {
    fc.assert(
      fc.property(snapshot, (given) => {
        const page = parsePage(exposition(given))
        for (const each of given.families) {
          expect(page.help.get(each.name)).toBe(each.help)
          expect(page.types.get(each.name)).toBe(each.type)
          for (const one of each.series) {
            const wanted = Object.fromEntries(one.labels)
            const named = each.type === 'histogram' ? `${each.name}_sum` : each.name
            const found = page.samples.filter(
              (sample) =>
                sample.name === named && JSON.stringify(sample.labels) === JSON.stringify(wanted),
            )
            // -0 and 0 are one number there.
            expect(found.map((sample) => sample.value + 0)).toEqual([one.value + 0])
          }
        }
      }),
    )
  })

  it('counts in each bucket of a histogram all that lies up to its bound', async () => {
    const registry = new Registry()
    const seconds = registry
      .histogram({ name: 'wait_seconds', help: 'Waits.', bounds: [0.1, 1] })
      .of({})
    for (const each of [0.05, 0.1, 0.5, 2, Number.NaN, Infinity]) seconds.observe(each)
    expect(exposition(await registry.snapshot())).toBe(`# HELP wait_seconds Waits.
# TYPE wait_seconds histogram
wait_seconds_bucket{le="0.1"} 2
wait_seconds_bucket{le="1"} 3
wait_seconds_bucket{le="+Inf"} 4
wait_seconds_sum 2.65
wait_seconds_count 4
`)
  })

  it('is sorted by family and by labels, and shows what was never counted as 0', async () => {
    const registry = new Registry()
    registry.gauge({ name: 'z', help: 'Last.' }).of({}).set(-1.5)
    const family2 = registry.counter({
      name: 'a_total',
      help: 'A \\ and\na line.',
      labels: { why: ['two', 'on"e'] },
    })
    family2.of({ why: 'two' }).add(2)
    expect(exposition(await registry.snapshot())).toBe(`# HELP a_total A \\\\ and\\na line.
# TYPE a_total counter
a_total{why="on\\"e"} 0
a_total{why="two"} 2
# HELP z Last.
# TYPE z gauge
z -1.5
`)
  })
})
