/**
 * What is spoken at each kind of port. Like server.ts it puts parts together
 * and decides nothing.
 */
import type { Config } from './config/config.js'
import type { Protocol } from './config/protocols.js'
import type { Peer } from './cred/credentials.js'
import type { Portal } from './cred/portal.js'
import type { Directory } from './directory/directory.js'
import type { Limiter } from './limits/limits.js'
import { type Log, reason } from './log/log.js'
import type { Address } from './mail/address.js'
import type { Avatars } from './mail/avatars.js'
import type { MailMetrics, PortMetrics } from './metrics/mail-metrics.js'
import { Descriptors } from './net/descriptors.js'
import { networkOf } from './net/ip.js'
import type { Session } from './net/session.js'
import { isThisMachine } from './net/this-machine.js'
import { pop3Sessions } from './pop3/server.js'
import type { Paced } from './smtp/context.js'
import { LMTP } from './smtp/lmtp.js'
import { MX } from './smtp/mx.js'
import type { Role } from './smtp/role.js'
import { smtpSessions } from './smtp/server.js'
import { SUBMISSION } from './smtp/submission.js'

/** File descriptors without which no new message is begun: those of the deliveries under way are fewer. */
const FOR_DELIVERIES = 64

/** What all ports of a server share. */
export interface Ground {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly portal: Portal<Avatars>
  readonly directory: Directory
  readonly tlsAvailable: () => boolean
  readonly limiter: Limiter
  /** For messages too large for memory. */
  readonly temporaryDirectory: string
  readonly log: Log
  readonly metrics?: MailMetrics
}

export type Sessions = (peer: Peer) => Session

/** @returns for each kind of port what a listener calls for each client */
export function sessionsOf(ground: Ground): Record<Protocol, Sessions> {
  return {
    smtp: smtp(ground, 'smtp', MX),
    submission: smtp(ground, 'submission', SUBMISSION),
    submissions: smtp(ground, 'submissions', SUBMISSION),
    lmtp: smtp(ground, 'lmtp', LMTP),
    pop3: pop3At(ground, 'pop3'),
    pop3s: pop3At(ground, 'pop3s'),
  }
}

function smtp(ground: Ground, port: Protocol, role: Role): Sessions {
  const { config, directory, portal, tlsAvailable, temporaryDirectory, log } = ground
  const descriptors = new Descriptors(undefined, FOR_DELIVERIES)
  return smtpSessions({
    role,
    // Programs that know CRAM-MD5 or SCRAM use nothing else where it is offered.
    logins: {
      secrets: () => directory.secrets() === 'all',
      scram: () => directory.scram() === 'all',
    },
    limits: () => config().smtp,
    paced: (what, address) => paced(ground, what, address),
    filesShort: () => descriptors.short(),
    xclientFrom: (address) => config().smtp.xclient.has(address),
    portal,
    hostname: config().hostname,
    maxSize: () => config().limits.messageSize,
    tlsAvailable,
    postmaster: () => postmasterOf(config()),
    temporaryDirectory,
    log,
    ...measured(ground, port),
  })
}

function measured({ metrics }: Ground, port: Protocol): { metrics?: PortMetrics } {
  return metrics === undefined ? {} : { metrics: metrics.port(port) }
}

/** Clients of this machine and trusted ones may as often as they like. */
function paced(ground: Ground, what: Paced, address: string): boolean | Promise<boolean> {
  const { smtp: limits, limits: general } = ground.config()
  const perMinute = what === 'message' ? limits.messagesPerMinute : limits.recipientsPerMinute
  if (perMinute === 0 || isThisMachine(address) || general.clients.trusted.has(address)) return true
  return counted(ground, what, address, perMinute)
}

/** A limit that cannot be counted stops no mail. */
async function counted(
  { limiter, log }: Ground,
  what: Paced,
  address: string,
  perMinute: number,
): Promise<boolean> {
  try {
    const key = `smtp ${what} ${networkOf(address, { ip4: 32, ip6: 64 }) ?? address}`
    const { allowed } = await limiter.hit(key, 1, perMinute / 60, perMinute)
    if (!allowed) log.warn('smtp too fast', { ip: address, what, limit: perMinute })
    return allowed
  } catch (error) {
    log.error('limits cannot count', { reason: reason(error) })
    return true
  }
}

function pop3At(ground: Ground, port: Protocol): Sessions {
  const { config, portal, directory, tlsAvailable, log } = ground
  /** Who has but a hash would stay outside where a program insists on APOP or SCRAM. */
  const offered = (way: 'apop' | 'scram', stored: 'secrets' | 'scram'): boolean => {
    const wanted = config().pop3[way]
    return wanted === 'on' || (wanted === 'auto' && directory[stored]() === 'all')
  }
  return pop3Sessions({
    portal,
    hostname: config().hostname,
    tlsAvailable,
    plaintextLogins: () => config().pop3.plaintext,
    apopOffered: () => offered('apop', 'secrets'),
    scramOffered: () => offered('scram', 'scram'),
    loginDelay: () => config().pop3.loginDelay,
    expire: () => config().pop3.expire,
    language: () => config().pop3.language,
    utf8: () => config().pop3.utf8,
    log,
    ...measured(ground, port),
  })
}

/** `<postmaster>` without a domain: that of the default domain, or of the first. */
export function postmasterOf({ defaultDomain, domains }: Config): Address | null {
  const domain = defaultDomain ?? Object.keys(domains)[0]
  return domain === undefined ? null : { local: 'postmaster', domain }
}
