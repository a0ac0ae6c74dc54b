/**
 * Puts a worker together: it has clients, and asks its primary for all that workers share. Like
 * server.ts it decides nothing.
 */
import type { Config } from './config/config.js'
import { filtersFor, type Stock, stockOf } from './parts.js'
import type { Filters } from './filter/filters.js'
import { intakeOf } from './intake.js'
import type { Log } from './log/log.js'
import { Descriptors } from './net/descriptors.js'
import { isThisMachine } from './net/this-machine.js'
import { Serving, temporaryIn } from './serving.js'
import { serverSecret } from './service/secret.js'
import type { Service } from './service/service.js'
import {
  AskedGreylist,
  AskedLimiter,
  AskedSpool,
  AskedThrottle,
  type Primary,
} from './workers/asked.js'
import { AskedDoorkeeper } from './workers/asked-doorkeeper.js'
import { FIRST_SOCKET } from './workers/workers.js'

export class Worker implements Service {
  readonly #log: Log
  readonly #primary: Primary
  readonly #stock: Stock
  readonly #filter: Filters
  #config: Config
  #serving: Serving | null = null

  constructor(config: Config, primary: Primary, log: Log) {
    this.#config = config
    this.#primary = primary
    this.#log = log
    this.#stock = stockOf(() => this.#config, log)
    this.#filter = filtersFor(config, log, new AskedGreylist(primary))
  }

  /** The primary has made the state directory what it has to be. @throws as Server.start */
  async start(): Promise<void> {
    this.#serving = this.#serve(await serverSecret(this.#config.state))
    await this.#serving.start()
    void this.#stock.files.scanSecrets()
  }

  /** Takes no new client, lets running work finish for 30 s at most. */
  async stop(): Promise<void> {
    await this.#serving?.stop()
    await this.#filter.close()
  }

  /** @throws what is wrong with the certificates */
  async reload(config: Config = this.#config): Promise<void> {
    await this.#serving?.reload(config)
    this.#config = config
    this.#stock.files.reconfigure(config)
    this.#filter.reconfigure(config.filter)
    void this.#stock.files.scanSecrets()
  }

  #serve(secret: Buffer): Serving {
    const config = (): Config => this.#config
    const relays = (): boolean => this.#config.relay.routes.length > 0
    const log = this.#log
    const { directory, queue } = intakeOf({
      ...this.#stock,
      config,
      secret,
      spool: new AskedSpool(this.#primary, temporaryIn(this.#config)),
      // The primary knows: it was told.
      added: () => {},
      relay: {
        get enabled() {
          return relays()
        },
      },
      log,
    })
    const { store } = this.#stock
    const filter = this.#filter
    const counters = this.#counters()
    const inherited = FIRST_SOCKET
    return new Serving({
      config,
      directory,
      store,
      queue,
      filter,
      relays,
      counters,
      secret,
      inherited,
      log,
    })
  }

  #counters() {
    const descriptors = new Descriptors()
    const primary = this.#primary
    const log = this.#log
    const exempt = (address: string): boolean =>
      isThisMachine(address) || this.#config.limits.clients.trusted.has(address)
    return {
      limiter: new AskedLimiter(primary),
      throttle: new AskedThrottle(primary, exempt, log),
      doorkeeper: (at: number) =>
        new AskedDoorkeeper({ primary, listener: at, exempt, descriptors, log }),
    }
  }
}
