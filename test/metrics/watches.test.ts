import { mkdtempSync, rmSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DiskRoom } from '../../src/metrics/disk-room.js'
import { watchEventLoop } from '../../src/metrics/event-loop.js'
import { exposition } from '../../src/metrics/exposition.js'
import { watchProcess } from '../../src/metrics/process-metrics.js'
import { watchQueue } from '../../src/metrics/queue-gauges.js'
import { Registry } from '../../src/metrics/registry.js'
import { censusOf } from '../../src/queue/census.js'
import { valueOf } from '../helpers/prometheus-text.js'

async function read(registry: Registry) {
  const page = exposition(await registry.snapshot())
  return (name: string, labels = {}) => valueOf(page, name, labels) ?? Number.NaN
}

describe('what is watched', () => {
  it('of the process: its memory, time and open files, and which version it is', async () => {
    const registry = new Registry()
    onTestFinished(watchProcess(registry, '1.2.3'))
    const before = await read(registry)
    const file = await open('/dev/null')
    const value = await read(registry)
    await file.close()
    expect(value('process_open_fds')).toBe(before('process_open_fds') + 1)
    expect(value('process_max_fds')).toBeGreaterThan(value('process_open_fds'))
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(Math.abs(value('process_start_time_seconds') - Date.now() / 1_000)).toBeLessThan(3_600)
    expect(value('mailtap_build_info', { version: '1.2.3' })).toBe(1)
  })

  it('of the event loop: how late it is when something holds it up', async () => {
    const registry = new Registry()
    onTestFinished(watchEventLoop(registry))
    const max = async () =>
      (await read(registry))('mailtap_event_loop_lag_seconds', { stat: 'max' })
    // Its first look must be over before there can be a late one.
    await new Promise((resolve) => setTimeout(resolve, 100))
    const until = performance.now() + 300
    while (performance.now() < until);
    await expect.poll(max).toBeGreaterThan(0.2)
  })

  it('of the disk: how much is free, and whether the reserve is used up', async () => {
    const root = mkdtempSync(join(tmpdir(), 'disk-room-'))
    onTestFinished(() => rmSync(root, { recursive: true }))
    const room = (registry: Registry, path: string, reserveBytes: number) =>
      new DiskRoom(registry, { roots: () => [path], reserveBytes })
    const registry = new Registry()
    expect(await room(registry, root, 1).problems()).toEqual([])
    const value = await read(registry)
    expect(value('mailtap_disk_free_bytes')).toBeGreaterThan(1)
    expect(value('mailtap_disk_reserve_bytes')).toBe(1)
    const low = room(new Registry(), root, 2 ** 60)
    expect(await low.problems()).toEqual([`disk reserve low at ${root}`])
    const gone = room(new Registry(), join(root, 'gone'), 1)
    expect(await gone.problems()).toEqual([`no answer from the disk at ${join(root, 'gone')}`])
  })

  it('of the queue: how many wait, by state and age', async () => {
    const registry = new Registry()
    const now = 1_800_000_000_000
    const entry = { id: 'A', shard: 0, received: now - 600_000, since: 0, state: 'known' } as const
    const census = () => censusOf([{ ...entry, slot: null, item: null, loans: [] }], now)
    onTestFinished(watchQueue(registry, census))
    const value = await read(registry)
    expect(value('mailtap_queue_messages', { state: 'resting', age: '1h' })).toBe(1)
    expect(value('mailtap_queue_messages', { state: 'waiting', age: '1h' })).toBe(0)
    expect(value('mailtap_queue_oldest_seconds')).toBe(600)
  })
})
