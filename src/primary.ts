/**
 * Puts a server together that is several processes: this one has the state directory, the ports,
 * the spool and all that counts; its workers have the clients. Like server.ts it decides nothing.
 */
import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Answered, type Shared } from './answered.js'
import type { Config } from './config/config.js'
import { packed } from './config/sent.js'
import { type Counters, countersOf } from './counters.js'
import { GreylistMemory } from './filter/greylist-memory.js'
import { greylistIn } from './filter/filters.js'
import type { Log } from './log/log.js'
import { HeldPort } from './net/held-port.js'
import { TlsContexts } from './net/tls.js'
import { Outgoing } from './outgoing.js'
import { type Stock, stockOf } from './parts.js'
import { tellRestart } from './restart.js'
import {
  type BoundAddress,
  type Place,
  placesOf,
  takenAt,
  temporaryIn,
  tlsFiles,
} from './serving.js'
import { Instance } from './service/instance.js'
import { serverSecret } from './service/secret.js'
import type { Service } from './service/service.js'
import { type Desk, Tending } from './tending.js'
import { Watching } from './watching.js'
import { WorkerProcess } from './workers/child.js'
import { clearParcels } from './workers/parcels.js'
import { Workforce } from './workers/workforce.js'

const ENTRY = fileURLToPath(new URL('./worker-main.js', import.meta.url))

interface Held extends Place {
  readonly port: HeldPort
}

/** A whole mail server as one service, in several processes. */
export class Primary implements Service {
  readonly #log: Log
  readonly #instance: Instance
  readonly #stock: Stock
  readonly #counters: Counters
  readonly #greylist: GreylistMemory
  readonly #workforce: Workforce
  readonly #answered = new Map<WorkerProcess, Answered>()
  readonly #clients: Shared['clients'] = new Map()
  /** What it was started with; what needs a restart stays as it is here. */
  readonly #started: Config
  #config: Config
  #held: readonly Held[] = []
  #tls: TlsContexts | null = null
  #outgoing: Outgoing | null = null
  #tending: Tending | null = null
  readonly #watching: Watching
  readonly #desk: Desk | null
  readonly #kill = (): void => this.#workforce.kill()

  /** @param desk `null` = nobody asks it or tells it anything while it runs */
  constructor(config: Config, plainLog: Log, desk: Desk | null = null) {
    this.#started = config
    this.#config = config
    this.#desk = desk
    this.#watching = new Watching(() => this.#config, plainLog)
    const { log } = this.#watching
    this.#log = log
    this.#instance = new Instance(config.state)
    const now = (): Config => this.#config
    this.#stock = stockOf(now, log)
    this.#counters = countersOf(now, this.#stock.directory, log)
    this.#greylist = new GreylistMemory({ path: greylistIn(config.state), log })
    this.#workforce = new Workforce({
      count: workersOf(config),
      hire: () => this.#hire(),
      order: () => ({ config: packed(this.#config) }),
      gone: (worker) => this.#release(worker),
      log,
    })
  }

  /** @throws AlreadyRunning, CertificateError, ListenError; nothing is left running then */
  async start(): Promise<void> {
    await this.#instance.start()
    // Also where the process ends at once: no worker goes on alone.
    process.on('exit', this.#kill)
    try {
      const { state, hostname } = this.#config
      await mkdir(temporaryIn(this.#config), { recursive: true, mode: 0o700 })
      await clearParcels(temporaryIn(this.#config), null)
      // Made once, and looked at before the workers are to take them.
      this.#tls = await TlsContexts.open(tlsFiles(this.#config), state, hostname)
      await this.#openOutgoing(await serverSecret(state))
      await this.#hold()
      await this.#workforce.start()
      await this.#tend().start()
    } catch (error) {
      await this.stop()
      throw error
    }
  }

  /** Workers let their clients finish, for some 30 s; then what they left to us is seen to. */
  async stop(): Promise<void> {
    for (const { port } of this.#held) port.close()
    this.#held = []
    await this.#workforce.stop()
    process.off('exit', this.#kill)
    await (this.#tending ?? this.#outgoing)?.stop()
    this.#tending = null
    this.#outgoing = null
    await this.#tls?.close()
    this.#tls = null
    await this.#greylist.close()
    await this.#instance.stop()
  }

  /** As a server of one process does. @throws what is wrong with the certificates; nothing changed then */
  async reload(config: Config = this.#config): Promise<void> {
    await this.#tls?.reload(tlsFiles(config))
    tellRestart(this.#started, config, this.#log)
    this.#config = config
    this.#stock.files.reconfigure(config)
    await this.#outgoing?.reload()
    await this.#workforce.reload(packed(config))
  }

  /** What is listened on now; empty before the start. */
  addresses(): readonly BoundAddress[] {
    return this.#held.map(({ protocol, port }) => ({
      protocol,
      endpoint: port.address,
      port: port.port,
    }))
  }

  async #openOutgoing(secret: Buffer): Promise<void> {
    this.#outgoing = await Outgoing.open({
      ...this.#stock,
      config: () => this.#config,
      secret,
      listening: () => this.#held.flatMap((held) => takenAt(held, held.port.port)),
      log: this.#log,
    })
  }

  #tend(): Tending {
    return (this.#tending = new Tending({
      config: () => this.#config,
      outgoing: this.#outgoing!,
      watching: this.#watching,
      addresses: () => this.addresses(),
      desk: this.#desk,
      log: this.#log,
    }))
  }

  /** One after another, so that what was bound is closed when the next one cannot be. */
  async #hold(): Promise<void> {
    for (const place of placesOf(this.#started)) {
      const port = await HeldPort.bind(place.endpoint, place.protocol)
      this.#held = [...this.#held, { ...place, port }]
    }
  }

  #hire(): WorkerProcess {
    const answered = new Answered({
      config: () => this.#config,
      counters: this.#counters,
      greylist: this.#greylist,
      keep: async (item, message) => this.#outgoing!.take(item, message),
      clients: this.#clients,
    })
    const sockets = this.#held.map(({ port }) => port.descriptor)
    const worker = new WorkerProcess({ entry: ENTRY, sockets, log: this.#log }, answered.answers)
    this.#answered.set(worker, answered)
    return worker
  }

  #release(worker: WorkerProcess): void {
    void this.#answered.get(worker)?.release(worker.pid)
    this.#answered.delete(worker)
  }
}

function workersOf({ run: { workers } }: Config): number {
  return workers === 'auto' ? availableParallelism() : workers
}
