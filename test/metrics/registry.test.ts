import { describe, expect, it } from 'vitest'
import { Registry } from '../../src/metrics/registry.js'

const values = async (registry: Registry) =>
  (await registry.snapshot()).families.flatMap(({ series }) => series.map(({ value }) => value))

describe('the metrics of a process', () => {
  it('count up, never down, and never become something that is no number', async () => {
    const registry = new Registry()
    const counter = registry.counter({ name: 'a_total', help: '' }).of({})
    for (const by of [1, -5, Number.NaN, Infinity, 2]) counter.add(by)
    expect(await values(registry)).toEqual([3])
    counter.reach(10)
    counter.reach(4)
    expect(await values(registry)).toEqual([10])
  })

  it('have no child for a value that is not in the list', () => {
    const family = new Registry().counter({ name: 'a_total', help: '', labels: { why: ['x'] } })
    expect(() => family.of({ why: 'from a client' as 'x' })).toThrow(RangeError)
  })

  it('refuse names that Prometheus does not take, names that are taken, and too many children', () => {
    const registry = new Registry()
    registry.gauge({ name: 'a', help: '' })
    expect(() => registry.gauge({ name: 'a', help: '' })).toThrow(/there already/)
    expect(() => registry.gauge({ name: 'a b', help: '' })).toThrow(RangeError)
    expect(() => registry.gauge({ name: 'b', help: '', labels: { le: ['1'] } })).toThrow(RangeError)
    const many = Array.from({ length: 40 }, (_, at) => String(at))
    expect(() => registry.gauge({ name: 'c', help: '', labels: { x: many, y: many } })).toThrow(
      /too many/,
    )
    expect(() => registry.histogram({ name: 'd', help: '', bounds: [1, 1] })).toThrow(/ascend/)
  })

  it('are read although one that looks something up fails', async () => {
    const registry = new Registry()
    const gauge = registry.gauge({ name: 'a', help: '' }).of({})
    registry.collect(() => Promise.reject(new Error('no such file')))
    const end = registry.collect(() => gauge.set(7))
    expect(await values(registry)).toEqual([7])
    end()
    gauge.set(8)
    expect(await values(registry)).toEqual([8])
  })

  it('are looked up once for all who ask at the same time', async () => {
    const registry = new Registry()
    let looked = 0
    registry.collect(() => void looked++)
    await Promise.all([registry.snapshot(), registry.snapshot()])
    expect(looked).toBe(1)
  })
})
