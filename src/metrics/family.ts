/** One metric with all its children, one for each combination of label values. */
import type { Readable } from './children.js'
import type { Description, Family, Labels, Values } from './metrics.js'
import type { FamilySnapshot, Label } from './snapshot.js'

/** Children of one metric: each is a line, and costs whoever stores them. */
const MAX_CHILDREN = 1_000
const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/
/** Two underscores at the beginning are Prometheus's own. */
const LABEL = /^(?!__)[a-zA-Z_][a-zA-Z0-9_]*$/
/** What a histogram and the sum of several workers add. */
const RESERVED = ['le', 'worker']

interface Placed<Child> {
  readonly labels: readonly Label[]
  readonly child: Child
}

/** What a family is besides its children. */
export type Kind = Pick<FamilySnapshot, 'type' | 'together' | 'bounds'>

export class KnownFamily<Child extends Readable, L extends Labels> implements Family<Child, L> {
  readonly #description: Description<L>
  readonly #kind: Kind
  readonly #children = new Map<string, Placed<Child>>()

  /** @throws RangeError for names that Prometheus does not take, and for too many children */
  constructor(description: Description<L>, kind: Kind, make: () => Child) {
    this.#description = description
    this.#kind = kind
    const names = Object.entries(description.labels ?? {})
    mustBeNamed(description.name, names)
    for (const labels of combinations(names)) {
      this.#children.set(keyOf(labels), { labels, child: make() })
    }
  }

  of(values: Values<L>): Child {
    const names = Object.keys(this.#description.labels ?? {})
    const found = this.#children.get(keyOf(names.map((name) => [name, values[name]!])))
    if (found !== undefined) return found.child
    throw new RangeError(`${this.#description.name} has no child ${JSON.stringify(values)}`)
  }

  snapshot(): FamilySnapshot {
    const { name, help, perWorker = false } = this.#description
    const series = [...this.#children.values()].map(({ labels, child }) => {
      return { labels, value: child.value, counts: child.counts }
    })
    return { name, help, perWorker, ...this.#kind, series }
  }
}

type Named = readonly (readonly [name: string, values: readonly string[]])[]

function mustBeNamed(name: string, labels: Named): void {
  const good = labels.every(([label]) => LABEL.test(label) && !RESERVED.includes(label))
  if (!NAME.test(name) || !good) throw new RangeError(`${name}: no name for a metric or a label`)
  const count = labels.reduce((product, [, values]) => product * new Set(values).size, 1)
  if (count > MAX_CHILDREN) throw new RangeError(`${name}: ${count} children are too many`)
}

function combinations(labels: Named): (readonly Label[])[] {
  return labels.reduce<(readonly Label[])[]>(
    (before, [name, values]) =>
      before.flatMap((some) => values.map((value) => [...some, [name, value] as const])),
    [[]],
  )
}

function keyOf(labels: readonly Label[]): string {
  return labels.map(([, value]) => value).join('\0')
}
