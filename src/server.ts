/**
 * Puts a server together that is one process, and decides nothing: with mailtap.ts and primary.ts
 * the only file that knows every part.
 */
import { mkdir } from 'node:fs/promises'
import type { Config } from './config/config.js'
import { type Counters, countersOf } from './counters.js'
import type { Filters } from './filter/filters.js'
import type { Log } from './log/log.js'
import { Outgoing } from './outgoing.js'
import { filtersFor, type Parts, type Stock, stockOf } from './parts.js'
import { tellRestart } from './restart.js'
import { type BoundAddress, Serving, temporaryIn } from './serving.js'
import { Instance } from './service/instance.js'
import { serverSecret } from './service/secret.js'
import type { Service } from './service/service.js'
import { type Desk, Tending } from './tending.js'
import { Watching } from './watching.js'

export type { Parts } from './parts.js'
export type { BoundAddress } from './serving.js'

/** A whole mail server as one service. */
export class Server implements Service {
  readonly #log: Log
  readonly #instance: Instance
  readonly #stock: Stock
  readonly #counters: Counters
  readonly #filter: Filters
  /** What it was started with; what needs a restart stays as it is here. */
  readonly #started: Config
  readonly #watching: Watching
  readonly #desk: Desk | null
  #config: Config
  #serving: Serving | null = null
  #outgoing: Outgoing | null = null
  #tending: Tending | null = null

  /** @param desk `null` = nobody asks it or tells it anything while it runs */
  constructor(config: Config, plainLog: Log, parts: Parts = {}, desk: Desk | null = null) {
    this.#started = config
    this.#config = config
    this.#desk = desk
    this.#watching = new Watching(() => this.#config, plainLog)
    const { log } = this.#watching
    this.#log = log
    this.#instance = new Instance(config.state)
    const now = (): Config => this.#config
    this.#stock = stockOf(now, log, parts)
    this.#counters = countersOf(now, this.#stock.directory, log)
    this.#filter = filtersFor(config, log)
  }

  /** @throws AlreadyRunning, CertificateError, ListenError; nothing is left running then */
  async start(): Promise<void> {
    await this.#instance.start()
    try {
      await mkdir(temporaryIn(this.#config), { recursive: true, mode: 0o700 })
      const secret = await serverSecret(this.#config.state)
      const outgoing = await this.#openOutgoing(secret)
      this.#serving = this.#serve(secret, outgoing)
      await this.#serving.start()
      await this.#tend(outgoing).start()
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#lookForSecrets()
  }

  async stop(): Promise<void> {
    await this.#serving?.stop()
    this.#serving = null
    await (this.#tending ?? this.#outgoing)?.stop()
    this.#tending = null
    this.#outgoing = null
    await this.#filter.close()
    await this.#instance.stop()
  }

  /** Takes up domains, limits, filters, [pop3] and certificate; the rest stays what it is until a restart. */
  async reload(config: Config = this.#config): Promise<void> {
    await this.#serving?.reload(config)
    tellRestart(this.#started, config, this.#log)
    this.#config = config
    this.#stock.files.reconfigure(config)
    this.#filter.reconfigure(config.filter)
    await this.#outgoing?.reload()
    this.#lookForSecrets()
  }

  /** What is listened on now; empty before the start. */
  addresses(): readonly BoundAddress[] {
    return this.#serving?.addresses() ?? []
  }

  async #openOutgoing(secret: Buffer): Promise<Outgoing> {
    return (this.#outgoing = await Outgoing.open({
      ...this.#stock,
      config: () => this.#config,
      secret,
      listening: () => this.#serving?.takenAt() ?? [],
      log: this.#log,
    }))
  }

  #tend(outgoing: Outgoing): Tending {
    return (this.#tending = new Tending({
      config: () => this.#config,
      outgoing,
      watching: this.#watching,
      addresses: () => this.addresses(),
      desk: this.#desk,
      log: this.#log,
    }))
  }

  #serve(secret: Buffer, { directory, queue, relay }: Outgoing): Serving {
    return new Serving({
      config: () => this.#config,
      directory,
      store: this.#stock.store,
      queue,
      filter: this.#filter,
      relays: () => relay.enabled,
      counters: this.#counters,
      secret,
      inherited: null,
      metrics: this.#watching.metrics,
      log: this.#log,
    })
  }

  /** In the background: with very many users it may take a while, and only APOP and SCRAM wait for it. */
  #lookForSecrets(): void {
    const { directory, files } = this.#stock
    if (directory === files) void files.scanSecrets()
  }
}
