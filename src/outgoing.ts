/**
 * Puts together what is behind the taking of mail: the spool, whoever empties it, the ways to other
 * servers, and the reports. Like server.ts it decides nothing.
 */
import { join } from 'node:path'
import type { Config } from './config/config.js'
import type { Directory } from './directory/directory.js'
import { composeReport } from './dsn/compose.js'
import { intakeOf, scheduleOf } from './intake.js'
import type { Log } from './log/log.js'
import type { Message } from './mail/message.js'
import type { TcpEndpoint } from './net/endpoint.js'
import { leadsHere, staysHere } from './net/ourselves.js'
import { postmasterOf } from './ports.js'
import { DiskSpool } from './queue/disk-spool.js'
import { laneBy } from './queue/lane-of.js'
import type { Queue, QueueItem } from './queue/queue.js'
import { Reporter } from './queue/reporter.js'
import { Runner } from './queue/runner.js'
import { Sweeper } from './queue/sweeper.js'
import { Dns } from './relay/dns.js'
import { systemServers } from './relay/dns-servers.js'
import { HopConnections } from './relay/hop-connections.js'
import { MtaSts } from './relay/mta-sts.js'
import { StsStore } from './relay/mta-sts-store.js'
import { MxDelivery } from './relay/mx.js'
import { RoutingRelay } from './relay/routing-relay.js'
import type { Service } from './service/service.js'
import type { Store } from './store/store.js'

export interface OutgoingParts {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly directory: Directory
  readonly store: Store
  /** What only this server knows. */
  readonly secret: Buffer
  /** Where mail is taken. */
  readonly listening: () => readonly Pick<TcpEndpoint, 'host' | 'port'>[]
  readonly log: Log
}

/** Milliseconds; what seems to be tried later than that was written by a clock that was wrong. */
const MAX_RETRY = 86_400_000

export class Outgoing implements Service {
  readonly queue: Queue
  /** The directory, and in it the addresses under which reports about forwarded mail come back. */
  readonly directory: Directory
  readonly spool: DiskSpool
  readonly runner: Runner
  readonly relay: RoutingRelay
  readonly reporter: Reporter
  readonly #sweeper: Sweeper
  readonly #config: () => Config

  /** @throws what the disk says */
  static async open(parts: OutgoingParts): Promise<Outgoing> {
    const { config, log } = parts
    const { state, queue } = config()
    const relay = relayOf(parts)
    const maxRetryMs = Math.max(queue.retryMaxMs, MAX_RETRY)
    const laneOf = laneBy(relay)
    const spool = await DiskSpool.open(join(state, 'spool'), { laneOf, maxRetryMs, log })
    return new Outgoing(parts, relay, spool)
  }

  private constructor(parts: OutgoingParts, relay: RoutingRelay, spool: DiskSpool) {
    const { config, log } = parts
    this.#config = config
    this.relay = relay
    this.spool = spool
    const added: Runner['added'] = (...mail) => this.runner.added(...mail)
    const { directory, carrier, queue, dkim } = intakeOf({ ...parts, relay, spool, added })
    this.directory = directory
    this.queue = queue
    const shared = { spool, relay, carrier, log, schedule: () => scheduleOf(config()) }
    this.reporter = new Reporter({
      ...shared,
      added,
      compose: async (report, original) => dkim.signedReport(await composeReport(report, original)),
      postmaster: () => postmasterOf(config()),
      hostname: config().hostname,
    })
    const report: Reporter['look'] = (item) => this.reporter.look(item)
    this.#sweeper = new Sweeper({ spool, report, log })
    this.runner = new Runner({ ...shared, queue, report })
  }

  async start(): Promise<void> {
    await this.runner.start()
    await this.#sweeper.start()
  }

  /** Deliveries under way end first. */
  async stop(): Promise<void> {
    await this.runner.stop()
    await this.#sweeper.stop()
    await this.relay.close()
    this.spool.close()
  }

  /** Puts what another process took into the spool, durably. @throws what the disk says */
  async take(item: QueueItem, message: Message): Promise<void> {
    await this.spool.add(item, message)
    this.runner.added(item, message)
  }

  async reload(): Promise<void> {
    this.relay.reconfigure(this.#config().relay)
    this.spool.relane()
    this.runner.kick()
  }
}

function relayOf({ config, listening, log }: OutgoingParts): RoutingRelay {
  const { state, hostname, relay } = config()
  const hops = new HopConnections({ hostname, log })
  const dns = new Dns({ servers: () => systemServers(), log })
  const isOurselves = (address: string, port: number): boolean =>
    leadsHere(listening(), address, port)
  const mx = new MxDelivery({
    dns,
    sts: new MtaSts({ dns, store: new StsStore(join(state, 'mta-sts')), log }),
    hand: (...work) => hops.hand(...work),
    ourselves: {
      // A domain whose mail goes to "this machine" means any machine but this one.
      isOurselves: (address, port) => staysHere(address) || isOurselves(address, port),
      isOurName: (name) => name.toLowerCase() === config().hostname.toLowerCase(),
    },
    log,
  })
  return new RoutingRelay(relay, { hops, mx, isOurselves, log })
}
