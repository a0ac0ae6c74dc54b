/**
 * Puts a server together from its parts, and decides nothing: with mailtap.ts
 * the only file that knows every part.
 */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { makeChecker } from './checkers/checkers.js'
import { Slots } from './checkers/slots.js'
import type { Config } from './config/config.js'
import { LocalCourier } from './courier/local.js'
import { Portal } from './cred/portal.js'
import type { Directory } from './directory/directory.js'
import { FilesDirectory } from './directory/files.js'
import { key } from './directory/key.js'
import { FileLocks } from './locks/files.js'
import type { Locks } from './locks/locks.js'
import type { Log } from './log/log.js'
import type { Address } from './mail/address.js'
import type { Avatars } from './mail/avatars.js'
import { parseEndpoint } from './net/endpoint.js'
import { Listener } from './net/listener.js'
import type { Session } from './net/session.js'
import { TlsContexts } from './net/tls.js'
import type { Pop3Options } from './pop3/options.js'
import { pop3Sessions } from './pop3/server.js'
import { DirectQueue } from './queue/direct.js'
import { PacedRealm } from './realm/paced.js'
import { MailRealm } from './realm/realm.js'
import { Instance } from './service/instance.js'
import { serverSecret } from './service/secret.js'
import type { Service } from './service/service.js'
import type { SmtpOptions } from './smtp/context.js'
import { smtpSessions } from './smtp/server.js'
import { Maildirs } from './store/maildirs.js'
import type { Store } from './store/store.js'
import { TrashSweeper } from './store/trash-sweeper.js'
import type { Peer } from './cred/credentials.js'

/** Octets that mail never takes from the disk: room for logs, and for an admin to work. */
const RESERVE_BYTES = 64 * 1024 * 1024

export type Protocol = 'smtp' | 'pop3' | 'pop3s'

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
  /** What it was started with; what needs a restart stays as it is here. */
  readonly #started: Config
  #config: Config
  #tls: TlsContexts | null = null
  #listeners: readonly Bound[] = []

  constructor(config: Config, log: Log, parts: Parts = {}) {
    this.#started = config
    this.#config = config
    this.#log = log
    this.#instance = new Instance(config.state)
    this.#files = new FilesDirectory({ ...config, log })
    this.#directory = parts.directory ?? this.#files
    const store = new Maildirs({
      home: (user) => this.#home(user),
      roots: () => Object.values(this.#config.domains).map(({ path }) => path),
      host: config.hostname,
      reserveBytes: RESERVE_BYTES,
      keepsDeleted: () => this.#config.mailboxes.trashMs !== null,
      log,
    })
    this.#sweeper = new TrashSweeper({
      roots: () => Object.values(this.#config.domains).map(({ path }) => path),
      keptMs: () => this.#config.mailboxes.trashMs,
      log,
    })
    this.#store = parts.store?.(store) ?? store
  }

  /** @throws AlreadyRunning, CertificateError, ListenError; nothing is left running then */
  async start(): Promise<void> {
    await this.#instance.start()
    try {
      await mkdir(this.#temporary, { recursive: true, mode: 0o700 })
      this.#tls = await TlsContexts.open(
        this.#config.tls,
        this.#config.state,
        this.#config.hostname,
      )
      const secret = await serverSecret(this.#config.state)
      const locks = await FileLocks.open(join(this.#config.state, 'locks'))
      this.#listeners = this.#build(secret, locks)
      for (const { listener } of this.#listeners) await listener.start()
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
    await this.#sweeper.stop()
    await this.#instance.stop()
  }

  /** Takes up domains, limits, [pop3] and certificate; the rest stays what it is until a restart. */
  async reload(config: Config = this.#config): Promise<void> {
    await this.#tls?.reload(config.tls)
    const needRestart = NEED_RESTART.filter(
      (part) => JSON.stringify(config[part]) !== JSON.stringify(this.#started[part]),
    )
    if (needRestart.length > 0) {
      this.#log.warn('server restart needed', { for: needRestart.join(' ') })
    }
    this.#config = config
    this.#files.reconfigure(config.domains, config.defaultDomain)
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

  #home({ local, domain }: Address): string | null {
    const path = this.#config.domains[domain]?.path
    const name = key(local)
    return path === undefined || name === null ? null : join(path, name)
  }

  #build(secret: Buffer, locks: Locks): Bound[] {
    const portal = this.#portal(secret, locks)
    const smtp = smtpSessions(this.#smtpOptions(portal))
    const pop3 = pop3Sessions(this.#pop3Options(portal))
    const { listen } = this.#config
    return [
      ...listen.smtp.map((endpoint) => this.#listener('smtp', endpoint, smtp)),
      ...listen.pop3.map((endpoint) => this.#listener('pop3', endpoint, pop3)),
      ...listen.pop3s.map((endpoint) => this.#listener('pop3s', endpoint, pop3)),
    ]
  }

  #portal(secret: Buffer, locks: Locks): Portal<Avatars> {
    const directory = this.#directory
    const store = this.#store
    const queue = new DirectQueue(new LocalCourier(directory, store))
    const takeoverMs = () => this.#config.pop3.takeoverAfter * 1000 || Infinity
    const mail = new MailRealm({ directory, store, queue, locks, takeoverMs })
    const realm = new PacedRealm(mail, { delay: () => this.#config.pop3.loginDelay })
    const slots = new Slots()
    return new Portal<Avatars>(
      realm,
      this.#config.auth.map((spec) => makeChecker(spec, { directory, slots, secret })),
    )
  }

  #smtpOptions(portal: Portal<Avatars>): SmtpOptions {
    return {
      portal,
      hostname: this.#config.hostname,
      maxSize: () => this.#config.limits.messageSize,
      tlsAvailable: () => this.#tls !== null,
      postmaster: () => this.#postmaster(),
      temporaryDirectory: this.#temporary,
      log: this.#log,
    }
  }

  #pop3Options(portal: Portal<Avatars>): Pop3Options {
    return {
      portal,
      hostname: this.#config.hostname,
      tlsAvailable: () => this.#tls !== null,
      plaintextLogins: () => this.#config.pop3.plaintext,
      apopOffered: () => this.#offered('apop', 'secrets'),
      scramOffered: () => this.#offered('scram', 'scram'),
      loginDelay: () => this.#config.pop3.loginDelay,
      expire: () => this.#config.pop3.expire,
      language: () => this.#config.pop3.language,
      log: this.#log,
    }
  }

  /** In the background: with very many users it may take a while, and only APOP and SCRAM wait for it. */
  #lookForSecrets(): void {
    if (this.#directory === this.#files) void this.#files.scanSecrets()
  }

  /** Programs that know APOP or SCRAM use nothing else where it is offered: who has but a hash would stay outside. */
  #offered(way: 'apop' | 'scram', stored: 'secrets' | 'scram'): boolean {
    const wanted = this.#config.pop3[way]
    return wanted === 'on' || (wanted === 'auto' && this.#directory[stored]() === 'all')
  }

  /** `<postmaster>` without a domain: that of the default domain, or of the first. */
  #postmaster(): Address | null {
    const domain = this.#config.defaultDomain ?? Object.keys(this.#config.domains)[0]
    return domain === undefined ? null : { local: 'postmaster', domain }
  }

  #listener(protocol: Protocol, endpoint: string, session: (peer: Peer) => Session): Bound {
    const listener = new Listener({
      endpoint: parseEndpoint(endpoint),
      protocol,
      session,
      implicitTls: protocol === 'pop3s',
      secureContext: () => this.#tls?.context ?? null,
      maxConnections: () => this.#config.limits.connections,
      log: this.#log,
    })
    return { protocol, listener }
  }
}

interface Bound {
  readonly protocol: Protocol
  readonly listener: Listener
}
