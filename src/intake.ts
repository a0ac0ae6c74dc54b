/**
 * Puts together what every process has that takes mail or tries it again: the places that addresses
 * lead to, and the queue in front of them. Like server.ts it decides nothing.
 */
import { createHmac } from 'node:crypto'
import type { Config } from './config/config.js'
import { RoutingCourier } from './courier/routing.js'
import type { Directory } from './directory/directory.js'
import { SrsDirectory } from './directory/srs.js'
import type { Dkim } from './dkim/dkim.js'
import { DomainSigner } from './dkim/domain-signer.js'
import { keyFolder } from './dkim/key-folder.js'
import type { Log } from './log/log.js'
import type { Address } from './mail/address.js'
import { rewrite } from './mail/srs.js'
import { couriersOf } from './parts.js'
import type { Rewrite } from './queue/plan.js'
import { DEFAULT_SCHEDULE, type Schedule } from './queue/schedule.js'
import { SpoolingQueue, type SpoolingParts } from './queue/spooling-queue.js'
import type { Store } from './store/store.js'

export interface IntakeParts {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly directory: Directory
  readonly store: Store
  /** What only this server knows. */
  readonly secret: Buffer
  readonly spool: SpoolingParts['spool']
  readonly added: SpoolingParts['added']
  readonly relay: SpoolingParts['relay']
  readonly log: Log
}

export interface Intake {
  /** The directory, and in it the addresses under which reports about forwarded mail come back. */
  readonly directory: Directory
  readonly carrier: RoutingCourier
  readonly queue: SpoolingQueue
  /** Signs what leaves. */
  readonly dkim: Dkim
}

export function intakeOf({ secret: all, directory: files, ...parts }: IntakeParts): Intake {
  const { config, relay, log } = parts
  const secret = derived(all, 'srs')
  const directory = new SrsDirectory(files, { secret, enabled: () => relay.enabled })
  const carrier = new RoutingCourier(directory, couriersOf(parts), log)
  const schedule = (): Schedule => scheduleOf(config())
  const folderOf = (domain: string): string | null => keyFolder(config(), domain)
  const dkim = new DomainSigner({ folderOf, hostname: config().hostname, log })
  const queue = new SpoolingQueue({
    ...parts,
    carrier,
    schedule,
    rewrite: rewriteBy(config, secret),
    seal: dkim,
  })
  return { directory, carrier, queue, dkim }
}

export function scheduleOf({ queue }: Config): Schedule {
  const { retryFirstMs: firstMs, retryMaxMs: maxMs, expireAfterMs: expireMs } = queue
  const delayWarningMs = queue.warnAfterMs ?? Infinity
  return { ...DEFAULT_SCHEDULE, firstMs, maxMs, delayWarningMs, expireMs }
}

/** Mail of others that an alias of ours forwards comes from us now; a sender of our own stays who he is. */
function rewriteBy(config: () => Config, secret: Buffer): Rewrite {
  const isOurs = ({ domain }: Address): boolean =>
    Object.hasOwn(config().domains, domain) || Object.hasOwn(config().aliasDomains, domain)
  return (from, { of }) => {
    if (from === null || isOurs(from) || !isOurs(of)) return undefined
    return rewrite(from, of.domain, secret, Date.now())
  }
}

/** A key for one purpose; no other one can be told from it. */
function derived(secret: Buffer, purpose: string): Buffer {
  return createHmac('sha256', secret).update(purpose).digest()
}
