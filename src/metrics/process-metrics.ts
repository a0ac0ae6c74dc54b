/** What a process is to its machine: memory, time, files; under the names that Prometheus's own libraries use. */
import { readdir, readFile } from 'node:fs/promises'
import type { Registry } from './registry.js'

const MICROSECONDS = 1e6
/** What the kernel says of this process (proc(5)); elsewhere these two metrics stay 0. */
const OPEN_FILES = '/proc/self/fd'
const LIMITS = '/proc/self/limits'

/** @param version of the program. @returns what ends the watch */
export function watchProcess(registry: Registry, version: string): () => void {
  registry
    .gauge({
      name: 'mailtap_build_info',
      help: 'Which version this is; always 1.',
      labels: { version: [version] },
      together: 'max',
    })
    .of({ version })
    .set(1)
  const ends = [watchTime(registry), watchMemory(registry), watchFiles(registry)]
  return () => {
    for (const end of ends) end()
  }
}

function watchTime(registry: Registry): () => void {
  const cpu = registry.counter({
    name: 'process_cpu_seconds_total',
    help: 'Processor time that the process has used, in seconds.',
    perWorker: true,
  })
  const start = registry.gauge({
    name: 'process_start_time_seconds',
    help: 'When the process began, in seconds since 1970.',
    together: 'min',
    perWorker: true,
  })
  start.of({}).set(performance.timeOrigin / 1_000)
  return registry.collect(() => {
    const { user, system } = process.cpuUsage()
    cpu.of({}).reach((user + system) / MICROSECONDS)
  })
}

function watchMemory(registry: Registry): () => void {
  const bytes = (name: string, help: string) =>
    registry.gauge({ name, help, perWorker: true }).of({})
  const resident = bytes('process_resident_memory_bytes', 'Memory that the process occupies.')
  const heap = bytes('mailtap_heap_used_bytes', 'Memory that JavaScript objects occupy.')
  const buffers = bytes('mailtap_buffers_bytes', 'Memory that buffers outside the heap occupy.')
  return registry.collect(() => {
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
    resident.set(rss)
    heap.set(heapUsed)
    buffers.set(arrayBuffers)
  })
}

function watchFiles(registry: Registry): () => void {
  const open = registry.gauge({
    name: 'process_open_fds',
    help: 'File descriptors that are open.',
    perWorker: true,
  })
  const most = registry.gauge({
    name: 'process_max_fds',
    help: 'File descriptors that may be open.',
    perWorker: true,
  })
  return registry.collect(async () => {
    // The one with which the list is read is among them.
    open.of({}).set((await readdir(OPEN_FILES)).length - 1)
    const [, limit] = /^Max open files +(\d+)/m.exec(await readFile(LIMITS, 'latin1')) ?? []
    if (limit !== undefined) most.of({}).set(Number(limit))
  })
}
