/**
 * Puts together what runs beside the clients, in the process that has the state directory: the
 * queue, the maildrop, the trash, and whoever may ask and tell. Like server.ts it decides nothing.
 */
import type { Config } from './config/config.js'
import { ControlRefusal, controlSocket } from './control/control.js'
import { controlRoutes } from './control/routes.js'
import { ControlServer } from './control/server.js'
import type { Log } from './log/log.js'
import type { Outgoing } from './outgoing.js'
import { rootsOf } from './parts.js'
import { laneBy } from './queue/lane-of.js'
import { Maildrop } from './queue/maildrop.js'
import { SpoolDesk } from './queue/spool-desk.js'
import { type BoundAddress, temporaryIn } from './serving.js'
import type { Service } from './service/service.js'
import { TrashSweeper } from './store/trash-sweeper.js'
import { VERSION } from './version.js'
import type { Watching } from './watching.js'

/** What whoever runs a server gives it so that it can be asked and told things. */
export interface Desk {
  /** Takes up the config file anew. @throws Error with a line for each problem; nothing was changed then */
  readonly reload: () => Promise<void>
}

export interface TendingParts {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly outgoing: Outgoing
  readonly watching: Watching
  readonly addresses: () => readonly BoundAddress[]
  /** `null` = nobody asks: a server inside another program. */
  readonly desk: Desk | null
  readonly log: Log
}

export class Tending implements Service {
  /** In the order in which they start; they stop in the other one. */
  readonly #services: readonly Pick<Service, 'start' | 'stop'>[]

  constructor(parts: TendingParts) {
    const { config, outgoing, watching, desk, log } = parts
    watching.queue(() => outgoing.spool.census())
    const sweeper = new TrashSweeper({
      roots: () => rootsOf(config()),
      keptMs: () => config().mailboxes.trashMs,
      log,
    })
    const asked = desk === null ? [] : [maildropOf(parts), controlOf(parts, desk)]
    this.#services = [outgoing, sweeper, watching, ...asked]
  }

  /** @throws ListenError, or what the disk says; `stop` ends what was begun then */
  async start(): Promise<void> {
    for (const service of this.#services) await service.start()
  }

  async stop(): Promise<void> {
    for (const service of this.#services.toReversed()) await service.stop()
  }
}

function maildropOf({ config, outgoing, log }: TendingParts): Maildrop {
  return new Maildrop({
    state: config().state,
    temporaryDirectory: temporaryIn(config()),
    hostname: config().hostname,
    maxSize: () => config().limits.messageSize,
    send: (envelope, message) => outgoing.queue.put(envelope, message),
    log,
  })
}

function controlOf({ config, outgoing, addresses, log }: TendingParts, desk: Desk): ControlServer {
  const { spool, relay, runner, reporter } = outgoing
  const ready = performance.now()
  const queue = new SpoolDesk({
    spool,
    laneOf: laneBy(relay),
    kick: () => runner.kick(),
    report: (item) => reporter.look(item),
    log,
  })
  const status = () => ({
    version: VERSION,
    pid: process.pid,
    uptime: Math.floor((performance.now() - ready) / 1000),
    listeners: addresses().map(({ protocol, endpoint }) => ({ protocol, endpoint })),
    queue: { messages: spool.ids().length },
  })
  const routes = controlRoutes({ status, reload: () => reloaded(desk), queue })
  return new ControlServer({ path: controlSocket(config().state), routes, log })
}

async function reloaded({ reload }: Desk): Promise<void> {
  try {
    await reload()
  } catch (error) {
    const lines = (error instanceof Error ? error.message : String(error)).split('\n')
    throw new ControlRefusal(422, lines, { cause: error })
  }
}
