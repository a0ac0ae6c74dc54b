/** Puts together what tells how a server is: what is counted, and the port where that can be asked. */
import type { Config } from './config/config.js'
import type { Log } from './log/log.js'
import { DiskRoom } from './metrics/disk-room.js'
import { watchEventLoop } from './metrics/event-loop.js'
import { MetricsServer } from './metrics/http.js'
import { MailMetrics } from './metrics/mail-metrics.js'
import { watchProcess } from './metrics/process-metrics.js'
import { type QueueCensus, watchQueue } from './metrics/queue-gauges.js'
import { Registry } from './metrics/registry.js'
import type { Snapshot } from './metrics/snapshot.js'
import { bind } from './net/bind.js'
import { parseEndpoint } from './net/endpoint.js'
import { RESERVE_BYTES, rootsOf } from './parts.js'
import type { Service } from './service/service.js'
import { VERSION } from './version.js'

/** The name of a process that is alone, or is the primary. */
const MAIN = 'main'

export class Watching implements Service {
  readonly metrics = new MailMetrics(new Registry())
  /** What is told to it is counted. */
  readonly log: Log
  readonly #config: () => Config
  readonly #disk: DiskRoom
  readonly #ends: (() => void)[]
  #server: MetricsServer | null = null

  constructor(config: () => Config, log: Log) {
    const { registry } = this.metrics
    this.#config = config
    this.log = this.metrics.counting(log)
    const roots = (): readonly string[] => rootsOf(config())
    this.#disk = new DiskRoom(registry, { roots, reserveBytes: RESERVE_BYTES })
    this.#ends = [watchProcess(registry, VERSION), watchEventLoop(registry)]
  }

  /** From now on it is told how much waits. */
  queue(census: () => QueueCensus): void {
    this.#ends.push(watchQueue(this.metrics.registry, census))
  }

  /** @throws ListenError */
  async start(): Promise<void> {
    const settings = this.#config().metrics
    if (settings === undefined) return
    this.#server = new MetricsServer({
      bind: (server) => bind(server, parseEndpoint(settings.listen), 'metrics'),
      allowed: (address) => this.#config().metrics?.allow.has(address) ?? false,
      snapshots: () => this.#snapshots(),
      problems: () => this.#disk.problems(),
    })
    await this.#server.start()
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0)) end()
    await this.#server?.stop()
    this.#server = null
  }

  async #snapshots(): Promise<ReadonlyMap<string, Snapshot>> {
    return new Map([[MAIN, await this.metrics.registry.snapshot()]])
  }
}
