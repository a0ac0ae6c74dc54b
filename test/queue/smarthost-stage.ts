/** A whole way out: a queue on a disk, its worker, its reports, and a relay to a smarthost on this machine. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, onTestFinished } from 'vitest'
import { composeReport } from '../../src/dsn/compose.js'
import { fromBuffer } from '../../src/mail/message.js'
import { DiskSpool } from '../../src/queue/disk-spool.js'
import { laneBy } from '../../src/queue/lane-of.js'
import { Reporter } from '../../src/queue/reporter.js'
import { Runner } from '../../src/queue/runner.js'
import type { Schedule } from '../../src/queue/schedule.js'
import { type SpoolClock, systemClock } from '../../src/queue/spool-clock.js'
import { SpoolingQueue } from '../../src/queue/spooling-queue.js'
import { Sweeper } from '../../src/queue/sweeper.js'
import { HopConnections } from '../../src/relay/hop-connections.js'
import type { Patience } from '../../src/relay/patience.js'
import { RoutingRelay } from '../../src/relay/routing-relay.js'
import { courierWorld, DOMAIN } from '../helpers/courier-world.js'
import { temporaryDirectory } from '../helpers/domain-tree.js'
import { type KeptLog, keptLog } from '../helpers/kept-log.js'
import { addressOf, envelopeOf, mailIn } from '../helpers/mail-world.js'
import { route, smarthosts } from '../relay/relay-stage.js'

const YEAR = 366 * 86_400_000
const QUICK: Schedule = {
  firstMs: 50,
  maxMs: 200,
  jitter: 0,
  delayWarningMs: 4 * 3_600_000,
  expireMs: 5 * 86_400_000,
}
/** A bound for what hangs, not a time that anything takes. */
export const PATIENCE = { timeout: 30_000, interval: 10 }
export const ALICE = `alice@${DOMAIN}`

export interface StageOptions {
  readonly patience?: Partial<Patience>
  readonly clock?: SpoolClock
  readonly isOurselves?: (address: string, port: number) => boolean
}

/** Mail to others goes to that port, over TLS and with a login. */
export async function smarthostStage(port: number, options: StageOptions = {}) {
  const { patience = {}, clock = systemClock, isOurselves = () => false } = options
  const file = join(await temporaryDirectory(), 'password')
  await writeFile(file, 'secret\n', { mode: 0o600 })
  const log = keptLog()
  const hops = new HopConnections({ hostname: 'us.example', log, patience })
  const only = route('default', {
    via: smarthosts(`smtp://joe@127.0.0.1:${port}`),
    tls: 'encrypt',
    secret: { kind: 'password', file },
  })
  const mx = { deliver: () => Promise.reject(new Error('nothing goes by MX')) }
  const relay = new RoutingRelay(
    { routes: [only], tlsPolicies: [] },
    { hops, mx, isOurselves, log },
  )
  return wayOut(relay, log, clock)
}

/** The queue in front of a relay. */
export async function wayOut(relay: RoutingRelay, log: KeptLog, clock: SpoolClock = systemClock) {
  const users = { alice: '!', bob: '!', postmaster: '!' }
  const world = await courierWorld('', users)
  const directory = join(await temporaryDirectory(), 'spool')
  const spool = await DiskSpool.open(directory, {
    laneOf: laneBy(relay),
    maxRetryMs: YEAR,
    log,
    clock,
  })
  const { now } = clock
  const added: Runner['added'] = (...mail) => runner.added(...mail)
  const shared = { spool, relay, carrier: world.courier, schedule: () => QUICK, log, added, now }
  const queue = new SpoolingQueue({ ...shared, rewrite: () => null })
  const reporter = new Reporter({
    ...shared,
    compose: composeReport,
    postmaster: () => addressOf(`postmaster@${DOMAIN}`),
    hostname: 'us.example',
  })
  const report = reporter.look.bind(reporter)
  const runner: Runner = new Runner({ ...shared, queue, report })
  const sweeper: Sweeper = new Sweeper({ spool, report, log, againMs: 50 })
  await runner.start()
  await sweeper.start()
  onTestFinished(async () => {
    await sweeper.stop()
    await runner.stop()
    await relay.close()
    spool.close()
  })
  const put = async (to: readonly string[], text: string, from: string | null = ALICE) => {
    const outcomes = await queue.put(envelopeOf(from, ...to), fromBuffer(Buffer.from(text)))
    return outcomes.map(({ refusal }) => refusal?.code ?? 250)
  }
  /** How the tries ended so far, `address status`, in order. */
  const tries = (): string[] =>
    log.of('queue delivery').map(({ to, status }) => `${String(to)} ${String(status)}`)
  const emptied = async (): Promise<void> => {
    await expect.poll(() => spool.ids(), PATIENCE).toEqual([])
  }
  const mailbox = (user: string): Promise<string[]> => mailIn(world.tree, DOMAIN, user)
  return { put, tries, emptied, log, spool, runner, mailbox }
}
