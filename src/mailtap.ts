/**
 * mailtap as a library: a whole mail server inside another program, most often
 * a test. Without any option it listens on free ports of the loopback address,
 * keeps its mail in a temporary directory and forgets everything when stopped.
 *
 *     const server = mailtap({ users: { 'alice@example.com': 'secret' } })
 *     await server.start()
 *     // … send to 127.0.0.1, port server.port('smtp') …
 *     const message = await server.waitForMessage('alice@example.com')
 *     await server.stop()
 */
import { randomUUID } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Config, DomainConfig } from './config/config.js'
import { DEFAULT_FILTERS } from './config/filter-config.js'
import { QUEUE } from './config/queue-config.js'
import { NO_RELAY } from './config/relay-config.js'
import { RUN } from './config/run-config.js'
import { CLIENT_LIMITS } from './config/limits.js'
import { MemoryDirectory } from './directory/memory.js'
import { type Log, silent } from './log/log.js'
import { parseAddress, parseDomain } from './mail/address.js'
import { byProtocol, type Listen, type Protocol } from './config/protocols.js'
import { SMTP } from './config/smtp-config.js'
import { type BoundAddress, Server } from './server.js'
import type { Service } from './service/service.js'
import { WatchedStore } from './store/watched.js'

export type { Protocol } from './config/protocols.js'
export type { BoundAddress } from './server.js'
export type { Fields, Log } from './log/log.js'
export type { Service } from './service/service.js'

export interface MailtapOptions {
  /**
   * Address → password, kept in memory. A stored form (`$argon2id$…`, `{PLAIN}…`) is understood,
   * too. Without `users` the files in each domain's `.users` count, as they do for `mailtap run`.
   */
  readonly users?: Readonly<Record<string, string>>
  /** Domain → its directory. The domains of `users` need not be named. */
  readonly domains?: Readonly<Record<string, string | MailtapDomain>>
  /** Endpoints such as `127.0.0.1:0`. Default: SMTP and POP3 on free ports of 127.0.0.1. */
  readonly listen?: Partial<Readonly<Record<Protocol, readonly string[]>>>
  /** Name in banner and Received; default `localhost`. */
  readonly hostname?: string
  /** State directory; default: a temporary one, removed at `stop()`. */
  readonly state?: string
  /** PEM files; default: a self-signed certificate. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Octets; default 50 MiB. */
  readonly messageSize?: number
  /** Default: no log. */
  readonly log?: Log
}

export interface MailtapDomain {
  readonly path: string
  readonly bounceToPostmaster?: boolean
  /** aliases(5) file; default `PATH/.aliases`. Ignored where `users` is given. */
  readonly aliases?: string
}

/** A server in this process. */
export interface Mailtap extends Service {
  addresses(): readonly BoundAddress[]
  /** The port of the first listener for that protocol. @throws Error if there is none */
  port(protocol: Protocol): number
  /**
   * The oldest message for that user that no call has given out before; waits for one.
   * The bytes are those that POP3 would send: CR LF line ends, trace headers first.
   * @throws Error after `timeoutMs` (default 10,000) without one
   */
  waitForMessage(address: string, options?: { readonly timeoutMs?: number }): Promise<Buffer>
}

const DEFAULT_SIZE = 50 * 1024 * 1024
const MAX_CONNECTIONS = 10_000
const DEFAULT_WAIT_MS = 10_000
const LISTEN: Partial<Listen> = { smtp: ['127.0.0.1:0'], pop3: ['127.0.0.1:0'] }
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

/**
 * Builds a server; nothing runs and no port is bound before `start()`.
 * @throws Error when the options contradict themselves
 */
export function mailtap(options: MailtapOptions = {}): Mailtap {
  return new EmbeddedServer(options)
}

class EmbeddedServer implements Mailtap {
  readonly #server: Server
  readonly #temporary: string | null
  readonly #paths: readonly string[]
  #store: WatchedStore | null = null

  constructor(options: MailtapOptions) {
    // Only a name: whoever never starts leaves nothing behind.
    this.#temporary = options.state === undefined ? join(tmpdir(), `mailtap-${randomUUID()}`) : null
    const config = configFrom(options, options.state ?? this.#temporary!)
    this.#paths = Object.values(config.domains).map(({ path }) => path)
    this.#server = new Server(config, options.log ?? silent, {
      ...(options.users === undefined ? {} : { directory: directoryFrom(options, config) }),
      store: (store) => (this.#store = new WatchedStore(store)),
    })
  }

  async start(): Promise<void> {
    if (this.#temporary !== null) await mkdir(this.#temporary, { mode: 0o700 })
    try {
      for (const path of this.#paths) await mkdir(path, { recursive: true, mode: 0o700 })
      await this.#server.start()
    } catch (error) {
      await this.#removeTemporary()
      throw error
    }
  }

  async stop(): Promise<void> {
    await this.#server.stop()
    await this.#removeTemporary()
  }

  async #removeTemporary(): Promise<void> {
    if (this.#temporary !== null) await rm(this.#temporary, { recursive: true, force: true })
  }

  reload(): Promise<void> {
    return this.#server.reload()
  }

  addresses(): readonly BoundAddress[] {
    return this.#server.addresses()
  }

  port(protocol: Protocol): number {
    const port = this.addresses().find((bound) => bound.protocol === protocol)?.port
    if (port === undefined || port === null) throw new Error(`no ${protocol} port is bound`)
    return port
  }

  async waitForMessage(text: string, { timeoutMs = DEFAULT_WAIT_MS } = {}): Promise<Buffer> {
    const address = parseAddress(text)
    if (address === null) throw new Error(`${JSON.stringify(text)} is not an address`)
    return this.#store!.next(address, timeoutMs)
  }
}

function configFrom(options: MailtapOptions, state: string): Config {
  const { listen, hostname = 'localhost', messageSize = DEFAULT_SIZE, tls = null } = options
  const domains = domainsFrom(options, resolve(state))
  const [only, ...others] = Object.keys(domains)
  return {
    hostname,
    state: resolve(state),
    auth: ['directory'],
    listen: byProtocol((protocol) => (listen ?? LISTEN)[protocol] ?? []),
    domains,
    aliasDomains: {},
    tagSeparator: '+',
    defaultDomain: others.length === 0 ? (only ?? null) : null,
    pop3: POP3,
    smtp: SMTP,
    submission: { anySender: false },
    // A test that deletes mail wants it gone.
    mailboxes: { trashMs: null },
    tls,
    limits: { messageSize, connections: MAX_CONNECTIONS, clients: CLIENT_LIMITS },
    filter: DEFAULT_FILTERS,
    relay: NO_RELAY,
    queue: QUEUE,
    run: RUN,
    log: { format: 'text', level: 'info' },
  }
}

/** Domains that are only named by their users keep their mail beside the state. */
function domainsFrom(options: MailtapOptions, state: string): Record<string, DomainConfig> {
  const domains: Record<string, DomainConfig> = {}
  for (const address of Object.keys(options.users ?? {})) {
    const domain = parseAddress(address)?.domain
    if (domain === undefined) throw new Error(`${JSON.stringify(address)} is not an address`)
    domains[domain] = domainConfig(join(state, 'mail', domain))
  }
  for (const [text, given] of Object.entries(options.domains ?? {})) {
    const domain = parseDomain(text)
    if (domain === null) throw new Error(`${JSON.stringify(text)} is not a domain`)
    domains[domain] = domainConfig(given)
  }
  return domains
}

function domainConfig(given: string | MailtapDomain): DomainConfig {
  const domain = typeof given === 'string' ? { path: given } : given
  const path = resolve(domain.path)
  const { aliases = join(path, '.aliases'), bounceToPostmaster = false } = domain
  const rest = { catchAll: null, deliver: null, quota: null, tls: null }
  return { path, aliases: resolve(aliases), bounceToPostmaster, ...rest }
}

function directoryFrom(options: MailtapOptions, config: Config): MemoryDirectory {
  const { domains, defaultDomain } = config
  return new MemoryDirectory({
    users: options.users ?? {},
    domains: Object.fromEntries(
      Object.entries(domains).map(([name, { bounceToPostmaster }]) => [
        name,
        { bounceToPostmaster },
      ]),
    ),
    defaultDomain,
  })
}
