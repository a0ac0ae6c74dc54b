/** Dashboard and alert rules speak of metrics and label values that there are. */
import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { DiskRoom } from '../../src/metrics/disk-room.js'
import { watchEventLoop } from '../../src/metrics/event-loop.js'
import { MailMetrics } from '../../src/metrics/mail-metrics.js'
import { watchProcess } from '../../src/metrics/process-metrics.js'
import { watchQueue } from '../../src/metrics/queue-gauges.js'
import { Registry } from '../../src/metrics/registry.js'
import type { FamilySnapshot } from '../../src/metrics/snapshot.js'
import { censusOf } from '../../src/queue/census.js'

const deploy = (name: string): string => join(import.meta.dirname, '../../deploy', name)
const ALERTS = deploy('alerts.yml')
const DASHBOARD = deploy('grafana-dashboard.json')
/** What Prometheus adds, and templates of Grafana. */
const FOREIGN = ['instance', 'job', 'worker', 'le']

interface Dashboard {
  readonly panels: readonly {
    readonly id: number
    readonly title: string
    readonly targets: readonly { readonly expr: string }[]
  }[]
}

const families = new Map<string, FamilySnapshot>()

beforeAll(async () => {
  const registry = new Registry()
  void new MailMetrics(registry)
  const ends = [
    watchProcess(registry, '1.2.3'),
    watchEventLoop(registry),
    watchQueue(registry, () => censusOf([], 0)),
  ]
  void new DiskRoom(registry, { roots: () => ['/tmp'], reserveBytes: 1 })
  for (const family of (await registry.snapshot()).families) families.set(family.name, family)
  for (const end of ends) end()
})

const METRIC = /\b((?:mailtap|process)_[a-z0-9_]+)\b(?:\{([^}]*)\})?/g

function familyOf(name: string): FamilySnapshot | undefined {
  return families.get(name) ?? families.get(name.replace(/_(?:bucket|sum|count)$/, ''))
}

/** Names and label values in expressions that nobody counts. */
function unknown(text: string): string[] {
  return [...text.matchAll(METRIC)].flatMap(([all, name = '', matchers = '']) => {
    const family = familyOf(name)
    if (family === undefined) return [all]
    return [...matchers.matchAll(/(\w+)=~?"([^"]*)"/g)].flatMap(([, label = '', values = '']) => {
      if (FOREIGN.includes(label)) return []
      const known = new Set(family.series.flatMap(({ labels }) => labels.map(String)))
      return values
        .split('|')
        .flatMap((value) => (known.has(`${label},${value}`) ? [] : [`${name} ${label}=${value}`]))
    })
  })
}

describe('what is in deploy/', () => {
  it('has a dashboard whose panels show metrics that there are', () => {
    const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Dashboard
    expect(panels.length).toBeGreaterThan(15)
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
    const expressions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
    expect(expressions.filter((expr) => expr.match(METRIC) === null)).toEqual([])
    expect(unknown(expressions.join('\n'))).toEqual([])
  })

  it('has alert rules about metrics that there are', () => {
    const text = readFileSync(ALERTS, 'utf8')
    expect(text.match(/- alert: /g)?.length).toBeGreaterThan(10)
    expect(unknown(text)).toEqual([])
  })

  it('finds a metric that there is not', () => {
    expect(unknown('rate(mailtap_nonsense_total[5m])')).toHaveLength(1)
    expect(unknown('mailtap_refusals_total{reason=~"errors|nonsense"}')).toHaveLength(1)
  })

  it('shows every metric of the server somewhere', () => {
    const text = readFileSync(ALERTS, 'utf8') + readFileSync(DASHBOARD, 'utf8')
    const shown = new Set([...text.matchAll(METRIC)].map(([, name = '']) => familyOf(name)?.name))
    expect([...families.keys()].filter((name) => !shown.has(name))).toEqual([
      'mailtap_buffers_bytes',
    ])
  })

  const promtool = spawnSync('promtool', ['--version']).error === undefined
  // A reason to skip: the tool comes with Debian's package "prometheus", which is large.
  it.skipIf(!promtool)('has alert rules that promtool takes', () => {
    const said = execFileSync('promtool', ['check', 'rules', ALERTS], { encoding: 'utf8' })
    expect(said).toContain('SUCCESS')
  })
})
