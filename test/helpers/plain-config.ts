/** The config of a server of which nothing special is said. */
import { join } from 'node:path'
import type { Config, DomainConfig } from '../../src/config/config.js'
import { DEFAULT_FILTERS } from '../../src/config/filter-config.js'
import { CLIENT_LIMITS } from '../../src/config/limits.js'
import { byProtocol } from '../../src/config/protocols.js'
import { QUEUE } from '../../src/config/queue-config.js'
import { NO_RELAY } from '../../src/config/relay-config.js'
import { SMTP } from '../../src/config/smtp-config.js'
import type { Tree } from './domain-tree.js'

const POP3: Config['pop3'] = {
  plaintext: 'tls-only',
  apop: 'auto',
  scram: 'auto',
  loginDelay: 0,
  takeoverAfter: 0,
  expire: 'NEVER',
  language: 'en',
  utf8: 'as-is',
}

/** A domain of a tree on a disk. */
export function plainDomain(tree: Tree, name: string): DomainConfig {
  const path = join(tree.root, name)
  const rest = { bounceToPostmaster: false, catchAll: null, deliver: null, quota: null, tls: null }
  return { path, aliases: tree.aliasFile(name), ...rest }
}

/** Listens nowhere, unless the changes say so. */
export function plainConfig(tree: Tree, domain: string, changes: Partial<Config>): Config {
  return {
    hostname: 'localhost',
    state: join(tree.root, 'state'),
    auth: ['directory'],
    listen: byProtocol(() => []),
    domains: { [domain]: plainDomain(tree, domain) },
    aliasDomains: {},
    tagSeparator: '+',
    defaultDomain: domain,
    pop3: POP3,
    smtp: SMTP,
    submission: { anySender: false },
    mailboxes: { trashMs: null },
    tls: null,
    limits: { messageSize: 1_000_000, connections: 100, clients: CLIENT_LIMITS },
    filter: DEFAULT_FILTERS,
    relay: NO_RELAY,
    queue: QUEUE,
    run: { workers: 0 },
    log: { format: 'text', level: 'info' },
    ...changes,
  }
}
