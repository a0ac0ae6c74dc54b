/**
 * Puts a server together from its parts, and decides nothing: with mailtap.ts
 * the only file that knows every part.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeChecker } from './checkers/checkers.js'
import { Slots } from './checkers/slots.js'
import type { Config } from './config/config.js'
import { IMPLICIT_TLS, PROTOCOLS, type Protocol } from './config/protocols.js'
import { Portal } from './cred/portal.js'
import type { Directory } from './directory/directory.js'
import { FilesDirectory } from './directory/files.js'
import { Filters } from './filter/filters.js'
import { FileLocks } from './locks/files.js'
import type { Locks } from './locks/locks.js'
import type { Log } from './log/log.js'
import type { Avatars } from './mail/avatars.js'
import { ConnectionCounts } from './limits/connections.js'
import { MemoryLimiter } from './limits/memory.js'
import { type Endpoint, parseEndpoint } from './net/endpoint.js'
import { Listener } from './net/listener.js'
import { TlsContexts, type TlsFiles } from './net/tls.js'
import { Outgoing } from './outgoing.js'
import { homeOf, realmOf, RESERVE_BYTES, rootsOf } from './parts.js'
import { type Sessions, sessionsOf } from './ports.js'
import { Instance } from './service/instance.js'
import { serverSecret } from './service/secret.js'
import type { Service } from './service/service.js'
import { Maildirs } from './store/maildirs.js'
import type { Store } from './store/store.js'
import { TrashSweeper } from './store/trash-sweeper.js'

/** Where a running server listens. */
export interface BoundAddress {
  readonly protocol: Protocol
  /** As a person writes it, with the port that the system chose for port 0. */
  readonly endpoint: string
  /** `null` for a UNIX socket. */
  readonly port: number | null
}

/** Parts that a program may bring instead of those that the config names. */
export interface Parts {
  readonly directory?: Directory
  readonly store?: (store: Store) => Store
}

/** What a reload cannot change. */
const NEED_RESTART = ['listen', 'state', 'hostname', 'auth', 'log'] as const

/** A whole mail server as one service. */
export class Server implements Service {
  readonly #log: Log
  readonly #instance: Instance
  readonly #files: FilesDirectory
  readonly #directory: Directory
  readonly #store: Store
  readonly #sweeper: TrashSweeper
  readonly #limiter = new MemoryLimiter()
  readonly #doorkeeper: ConnectionCounts
  readonly #filter: Filters
  /** What it was started with; what needs a restart stays as it is here. */
  readonly #started: Config
  #config: Config
  #tls: TlsContexts | null = null
  #listeners: readonly Bound[] = []
  #outgoing: Outgoing | null = null

  constructor(config: Config, log: Log, parts: Parts = {}) {
    this.#started = config
    this.#config = config
    this.#log = log
    this.#instance = new Instance(config.state)
    this.#files = new FilesDirectory({ ...config, log })
    this.#directory = parts.directory ?? this.#files
    const store = new Maildirs({
      home: (user) => homeOf(this.#config, user),
      roots: () => rootsOf(this.#config),
      host: config.hostname,
      reserveBytes: RESERVE_BYTES,
      keepsDeleted: () => this.#config.mailboxes.trashMs !== null,
      log,
    })
    this.#sweeper = new TrashSweeper({
      roots: () => rootsOf(this.#config),
      keptMs: () => this.#config.mailboxes.trashMs,
      log,
    })
    this.#store = parts.store?.(store) ?? store
    this.#doorkeeper = new ConnectionCounts({
      limits: () => this.#config.limits.clients,
      limiter: this.#limiter,
      log,
    })
    this.#filter = new Filters(config.filter, { ...config, log })
  }

  /** @throws AlreadyRunning, CertificateError, ListenError; nothing is left running then */
  async start(): Promise<void> {
    await this.#instance.start()
    try {
      await mkdir(this.#temporary, { recursive: true, mode: 0o700 })
      const { state, hostname } = this.#config
      this.#tls = await TlsContexts.open(tlsFiles(this.#config), state, hostname)
      this.#tls.watch(this.#log)
      const secret = await serverSecret(this.#config.state)
      const locks = await FileLocks.open(join(this.#config.state, 'locks'))
      const outgoing = await this.#openOutgoing(secret)
      this.#listeners = this.#build(secret, locks, outgoing)
      for (const { listener } of this.#listeners) await listener.start()
      await outgoing.start()
      await this.#sweeper.start()
    } catch (error) {
      await this.stop()
      throw error
    }
    this.#lookForSecrets()
  }

  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.stop()))
    this.#listeners = []
    await this.#outgoing?.stop()
    this.#outgoing = null
    await this.#tls?.close()
    await this.#filter.close()
    await this.#sweeper.stop()
    await this.#instance.stop()
  }

  /** Takes up domains, limits, filters, [pop3] and certificate; the rest stays what it is until a restart. */
  async reload(config: Config = this.#config): Promise<void> {
    await this.#tls?.reload(tlsFiles(config))
    const needRestart = NEED_RESTART.filter(
      (part) => JSON.stringify(config[part]) !== JSON.stringify(this.#started[part]),
    )
    if (needRestart.length > 0) {
      this.#log.warn('server restart needed', { for: needRestart.join(' ') })
    }
    this.#config = config
    this.#files.reconfigure(config)
    this.#filter.reconfigure(config.filter)
    await this.#outgoing?.reload()
    this.#lookForSecrets()
  }

  /** What is listened on now; empty before the start. */
  addresses(): readonly BoundAddress[] {
    return this.#listeners.map(({ protocol, listener }) => ({
      protocol,
      endpoint: listener.address,
      port: listener.port,
    }))
  }

  get #temporary(): string {
    return join(this.#config.state, 'tmp')
  }

  async #openOutgoing(secret: Buffer): Promise<Outgoing> {
    return (this.#outgoing = await Outgoing.open({
      config: () => this.#config,
      directory: this.#directory,
      store: this.#store,
      secret,
      listening: () => this.#listeners.flatMap(takenAt),
      log: this.#log,
    }))
  }

  #build(secret: Buffer, locks: Locks, outgoing: Outgoing): Bound[] {
    const sessions = sessionsOf({
      config: () => this.#config,
      portal: this.#portal(secret, locks, outgoing),
      directory: outgoing.directory,
      tlsAvailable: () => this.#tls !== null,
      limiter: this.#limiter,
      temporaryDirectory: this.#temporary,
      log: this.#log,
    })
    return PROTOCOLS.flatMap((protocol) =>
      this.#config.listen[protocol].map((endpoint) =>
        this.#listener(protocol, endpoint, sessions[protocol]),
      ),
    )
  }

  #portal(secret: Buffer, locks: Locks, { directory, queue, relay }: Outgoing): Portal<Avatars> {
    const store = this.#store
    const filter = this.#filter
    const config = () => this.#config
    const relays = () => relay.enabled
    const realm = realmOf({ config, directory, store, queue, locks, filter, relays })
    const slots = new Slots()
    return new Portal<Avatars>(
      realm,
      this.#config.auth.map((spec) => makeChecker(spec, { directory, slots, secret })),
    )
  }

  /** In the background: with very many users it may take a while, and only APOP and SCRAM wait for it. */
  #lookForSecrets(): void {
    if (this.#directory === this.#files) void this.#files.scanSecrets()
  }

  #listener(protocol: Protocol, endpoint: string, session: Sessions): Bound {
    const place = parseEndpoint(endpoint)
    const listener = new Listener({
      endpoint: place,
      protocol,
      session,
      implicitTls: IMPLICIT_TLS.has(protocol),
      certificates: () => this.#tls?.current ?? null,
      doorkeeper: this.#doorkeeper,
      maxConnections: () => this.#config.limits.connections,
      log: this.#log,
    })
    return { protocol, place, listener }
  }
}

/** The certificates that a config names. */
function tlsFiles({ tls, domains }: Config): TlsFiles {
  return { first: tls, others: Object.values(domains).flatMap((domain) => domain.tls ?? []) }
}

interface Bound {
  readonly protocol: Protocol
  readonly place: Endpoint
  readonly listener: Listener
}

/** Where mail is taken, with the port that the system chose. */
function takenAt({ protocol, place, listener }: Bound): { host: string | null; port: number }[] {
  if (protocol === 'pop3' || protocol === 'pop3s' || place.kind === 'unix') return []
  return listener.port === null ? [] : [{ host: place.host, port: listener.port }]
}
