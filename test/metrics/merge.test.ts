import { describe, expect, it } from 'vitest'
import { exposition } from '../../src/metrics/exposition.js'
import { gathered, merge, remains } from '../../src/metrics/merge.js'
import { Registry } from '../../src/metrics/registry.js'
import type { Snapshot } from '../../src/metrics/snapshot.js'
import { valueOf } from '../helpers/prometheus-text.js'

/** As it comes from another process. */
async function worker(by: number): Promise<Snapshot> {
  const registry = new Registry()
  registry
    .counter({ name: 'sent_total', help: '', labels: { to: ['x', 'y'] } })
    .of({ to: 'x' })
    .add(by)
  registry.gauge({ name: 'lag', help: '', together: 'max', perWorker: true }).of({}).set(by)
  registry.gauge({ name: 'free', help: '', together: 'min' }).of({}).set(by)
  registry
    .histogram({ name: 'wait', help: '', bounds: [5] })
    .of({})
    .observe(by)
  return JSON.parse(JSON.stringify(await registry.snapshot())) as Snapshot
}

describe('several processes', () => {
  it('are one: counters and histograms summed, gauges as their family says', async () => {
    const page = exposition(merge([await worker(2), await worker(10)]))
    expect(valueOf(page, 'sent_total', { to: 'x' })).toBe(12)
    expect(valueOf(page, 'sent_total', { to: 'y' })).toBe(0)
    expect(valueOf(page, 'lag')).toBe(10)
    expect(valueOf(page, 'free')).toBe(2)
    expect(valueOf(page, 'wait_bucket', { le: '5' })).toBe(1)
    expect(valueOf(page, 'wait_count')).toBe(2)
    expect(valueOf(page, 'wait_sum')).toBe(12)
  })

  it('are told apart where each has its own, and everywhere if that is asked for', async () => {
    const workers = new Map([
      ['1', await worker(2)],
      ['2', await worker(10)],
    ])
    const some = exposition(gathered(workers))
    expect(valueOf(some, 'lag', { worker: '2' })).toBe(10)
    expect(valueOf(some, 'sent_total', { to: 'x' })).toBe(12)
    const all = exposition(gathered(workers, 'all'))
    expect(valueOf(all, 'sent_total', { to: 'x', worker: '1' })).toBe(2)
    expect(valueOf(all, 'wait_bucket', { worker: '2', le: '+Inf' })).toBe(1)
  })

  it('keep what one of them counted when it has ended', async () => {
    const page = exposition(merge([remains(await worker(2)), await worker(10)]))
    expect(valueOf(page, 'sent_total', { to: 'x' })).toBe(12)
    expect(valueOf(page, 'lag')).toBe(10)
    expect(valueOf(page, 'free')).toBe(10)
  })

  it('of two versions are not mixed where a family is not the same', async () => {
    const registry = new Registry()
    registry
      .histogram({ name: 'wait', help: '', bounds: [1, 2] })
      .of({})
      .observe(1)
    const page = exposition(merge([await worker(2), await registry.snapshot()]))
    expect(valueOf(page, 'wait_count')).toBe(1)
  })
})
