/** A queue with a spool and its worker, real mailboxes on a real disk, and a relay that a test scripts. */
import { expect, onTestFinished } from 'vitest'
import type { Report } from '../../src/dsn/dsn.js'
import { formatAddress } from '../../src/mail/address.js'
import type { Envelope } from '../../src/mail/envelope.js'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { laneBy } from '../../src/queue/lane-of.js'
import { Reporter, type ReporterParts } from '../../src/queue/reporter.js'
import { Runner } from '../../src/queue/runner.js'
import type { Schedule } from '../../src/queue/schedule.js'
import { type Seal, SpoolingQueue } from '../../src/queue/spooling-queue.js'
import { Sweeper } from '../../src/queue/sweeper.js'
import { courierWorld, DOMAIN } from '../helpers/courier-world.js'
import { keptLog } from '../helpers/kept-log.js'
import { addressOf, envelopeOf } from '../helpers/mail-world.js'
import { ScriptedRelay } from './scripted-relay.js'
import { FaultySpool } from './faulty-spool.js'

export const BODY = 'Subject: x\n\nhello\n'
export const message = (): Message => fromBuffer(Buffer.from(BODY))

/** A bound for what hangs, not a time that anything takes. */
export const PATIENCE = { timeout: 30_000 }

export interface StageOptions {
  readonly schedule?: Partial<Schedule>
  readonly rewrite?: ConstructorParameters<typeof SpoolingQueue>[0]['rewrite']
  readonly seal?: Seal
}

const QUICK: Schedule = {
  firstMs: 5,
  maxMs: 20,
  jitter: 0,
  delayWarningMs: 4 * 3_600_000,
  expireMs: 5 * 86_400_000,
}

/** @param aliases of the domain; its users are alice, bob and postmaster */
export async function queueStage(aliases = '', options: StageOptions = {}) {
  const users = { alice: '!', bob: '!', postmaster: '!' }
  const { courier, tree, here, mailbox } = await courierWorld(aliases, users)
  const relay = new ScriptedRelay()
  const spool = new FaultySpool(laneBy(relay))
  const log = keptLog()
  const schedule = () => ({ ...QUICK, ...options.schedule })
  const reports: Report[] = []
  const compose = async (report: Report): Promise<Message> => {
    reports.push(report)
    return fromBuffer(Buffer.from(`Subject: report ${report.id}\n\n`))
  }
  const places = { spool, relay, carrier: courier, schedule, log }
  const queue = new SpoolingQueue({
    ...places,
    rewrite: options.rewrite ?? (() => null),
    ...(options.seal === undefined ? {} : { seal: options.seal }),
    added: (item, content) => runner.added(item, content),
  })
  const reporterParts: ReporterParts = {
    ...places,
    compose,
    postmaster: () => addressOf(`postmaster@${DOMAIN}`),
    hostname: 'mx.example',
    added: (item, content) => runner.added(item, content),
  }
  const reporter = new Reporter(reporterParts)
  const report = reporter.look.bind(reporter)
  const runner: Runner = new Runner({ ...places, queue, report })
  const sweeper: Sweeper = new Sweeper({
    spool,
    report,
    log,
    againMs: 10,
  })
  onTestFinished(async () => {
    await sweeper.stop()
    await runner.stop()
  })
  const put = async (envelope: Envelope): Promise<string[]> =>
    (await queue.put(envelope, message())).map(({ refusal }) =>
      refusal === null ? 'taken' : `${refusal.code} ${refusal.status}`,
    )
  return {
    put,
    runner,
    sweeper,
    reporter,
    reporterParts,
    relay,
    spool,
    log,
    reports,
    tree,
    here,
    mailbox,
  }
}

/** From joe@far.example unless something else is said; a recipient without a domain is ours. */
export function mail(to: readonly string[], more: Partial<Envelope> = {}): Envelope {
  const all = to.map((one) => (one.includes('@') ? one : `${one}@${DOMAIN}`))
  return { ...envelopeOf('joe@far.example', ...all), ...more }
}

/** What the spool has: `address place state attempts status`. */
export async function waiting(spool: FaultySpool): Promise<string[]> {
  return (await spool.items()).flatMap(({ recipients }) =>
    recipients.map(({ to, target, state, attempts, trouble }) => {
      const address = target.kind === 'remote' ? target.address : to
      return `${formatAddress(address)} ${target.kind} ${state} ${attempts} ${trouble?.status ?? '-'}`
    }),
  )
}

/** Resolves when nothing is left to do for any message. */
export async function emptied(spool: FaultySpool): Promise<void> {
  await expect.poll(() => spool.ids(), PATIENCE).toEqual([])
}
