/**
 * What is spoken at each kind of port. Like server.ts it puts parts together
 * and decides nothing.
 */
import type { Config } from './config/config.js'
import type { Protocol } from './config/protocols.js'
import type { Peer } from './cred/credentials.js'
import type { Portal } from './cred/portal.js'
import type { Directory } from './directory/directory.js'
import type { Log } from './log/log.js'
import type { Address } from './mail/address.js'
import type { Avatars } from './mail/avatars.js'
import type { Session } from './net/session.js'
import { pop3Sessions } from './pop3/server.js'
import { LMTP } from './smtp/lmtp.js'
import { MX } from './smtp/mx.js'
import type { Role } from './smtp/role.js'
import { smtpSessions } from './smtp/server.js'
import { SUBMISSION } from './smtp/submission.js'

/** What all ports of a server share. */
export interface Ground {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly portal: Portal<Avatars>
  readonly directory: Directory
  readonly tlsAvailable: () => boolean
  /** For messages too large for memory. */
  readonly temporaryDirectory: string
  readonly log: Log
}

export type Sessions = (peer: Peer) => Session

/** @returns for each kind of port what a listener calls for each client */
export function sessionsOf(ground: Ground): Record<Protocol, Sessions> {
  const submission = smtp(ground, SUBMISSION)
  const pop3 = pop3At(ground)
  return {
    smtp: smtp(ground, MX),
    submission,
    submissions: submission,
    lmtp: smtp(ground, LMTP),
    pop3,
    pop3s: pop3,
  }
}

function smtp(ground: Ground, role: Role): Sessions {
  const { config, directory, portal, tlsAvailable, temporaryDirectory, log } = ground
  return smtpSessions({
    role,
    // Programs that know CRAM-MD5 or SCRAM use nothing else where it is offered.
    logins: {
      secrets: () => directory.secrets() === 'all',
      scram: () => directory.scram() === 'all',
    },
    portal,
    hostname: config().hostname,
    maxSize: () => config().limits.messageSize,
    tlsAvailable,
    postmaster: () => postmaster(config()),
    temporaryDirectory,
    log,
  })
}

function pop3At({ config, portal, directory, tlsAvailable, log }: Ground): Sessions {
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
  })
}

/** `<postmaster>` without a domain: that of the default domain, or of the first. */
function postmaster({ defaultDomain, domains }: Config): Address | null {
  const domain = defaultDomain ?? Object.keys(domains)[0]
  return domain === undefined ? null : { local: 'postmaster', domain }
}
