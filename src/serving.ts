/**
 * Puts together what serves clients in one process: certificates, the portal, and a listener for
 * each endpoint. Like server.ts it decides nothing.
 */
import { join } from 'node:path'
import { makeChecker } from './checkers/checkers.js'
import { Slots } from './checkers/slots.js'
import type { Config } from './config/config.js'
import { IMPLICIT_TLS, PROTOCOLS, type Protocol } from './config/protocols.js'
import type { Counters } from './counters.js'
import { Portal } from './cred/portal.js'
import type { Directory } from './directory/directory.js'
import type { Filter } from './filter/filter.js'
import { FileLocks } from './locks/files.js'
import type { Locks } from './locks/locks.js'
import type { Log } from './log/log.js'
import type { Avatars } from './mail/avatars.js'
import type { MailMetrics } from './metrics/mail-metrics.js'
import { type Endpoint, parseEndpoint } from './net/endpoint.js'
import { Listener } from './net/listener.js'
import { TlsContexts, type TlsFiles } from './net/tls.js'
import { realmOf } from './parts.js'
import { type Sessions, sessionsOf } from './ports.js'
import type { Queue } from './queue/queue.js'
import type { Service } from './service/service.js'
import type { Store } from './store/store.js'

/** Where a running server listens. */
export interface BoundAddress {
  readonly protocol: Protocol
  /** As a person writes it, with the port that the system chose for port 0. */
  readonly endpoint: string
  /** `null` for a UNIX socket. */
  readonly port: number | null
}

export interface ServingParts {
  /** As it is now: a reload changes it. */
  readonly config: () => Config
  readonly directory: Directory
  readonly store: Store
  readonly queue: Queue
  readonly filter: Filter
  /** True if mail for other domains can leave from here. */
  readonly relays: () => boolean
  readonly counters: Counters
  /** What only this server knows. */
  readonly secret: Buffer
  /** The descriptor of the first inherited socket; `null` = sockets are made here. */
  readonly inherited: number | null
  readonly log: Log
  readonly metrics?: MailMetrics
}

/** An endpoint of the config. */
export interface Place {
  readonly protocol: Protocol
  readonly endpoint: Endpoint
}

interface Bound extends Place {
  readonly listener: Listener
}

export class Serving implements Service {
  readonly #parts: ServingParts
  #tls: TlsContexts | null = null
  #listeners: readonly Bound[] = []

  constructor(parts: ServingParts) {
    this.#parts = parts
  }

  /** @throws CertificateError, ListenError; `stop` ends what was begun then */
  async start(): Promise<void> {
    const { config, log } = this.#parts
    const { state, hostname } = config()
    this.#tls = await TlsContexts.open(tlsFiles(config()), state, hostname)
    this.#tls.watch(log)
    this.#listeners = this.#build(await FileLocks.open(join(state, 'locks')))
    for (const { listener } of this.#listeners) await listener.start()
    this.#parts.metrics?.watchSessions(() =>
      this.#listeners.map(({ protocol, listener: { sessions } }) => ({ protocol, sessions })),
    )
  }

  /** Takes no new client, lets running work finish for 30 s at most. */
  async stop(): Promise<void> {
    await Promise.all(this.#listeners.map(({ listener }) => listener.stop()))
    this.#listeners = []
    await this.#tls?.close()
  }

  /** Takes up the certificates. @throws CertificateError; nothing changed then */
  async reload(config: Config = this.#parts.config()): Promise<void> {
    await this.#tls?.reload(tlsFiles(config))
  }

  /** What is listened on now; empty before the start. */
  addresses(): readonly BoundAddress[] {
    return this.#listeners.map(({ protocol, listener }) => ({
      protocol,
      endpoint: listener.address,
      port: listener.port,
    }))
  }

  /** Where mail is taken, with the port that the system chose. */
  takenAt(): readonly TakenAt[] {
    return this.#listeners.flatMap((bound) => takenAt(bound, bound.listener.port))
  }

  #build(locks: Locks): Bound[] {
    const { config, directory, counters, log, metrics } = this.#parts
    const sessions = sessionsOf({
      config,
      portal: this.#portal(locks),
      directory,
      tlsAvailable: () => this.#tls !== null,
      limiter: counters.limiter,
      temporaryDirectory: temporaryIn(config()),
      log,
      ...(metrics === undefined ? {} : { metrics }),
    })
    return placesOf(config()).map((place, at) => this.#bound(place, at, sessions[place.protocol]))
  }

  #portal(locks: Locks): Portal<Avatars> {
    const { config, directory, secret, counters } = this.#parts
    const slots = new Slots()
    return new Portal<Avatars>(
      realmOf({ ...this.#parts, locks }),
      config().auth.map((spec) => makeChecker(spec, { directory, slots, secret })),
      counters.throttle,
    )
  }

  #bound(place: Place, at: number, session: Sessions): Bound {
    const { config, counters, inherited, log, metrics } = this.#parts
    const { protocol, endpoint } = place
    const listener = new Listener({
      endpoint,
      protocol,
      session,
      implicitTls: IMPLICIT_TLS.has(protocol),
      certificates: () => this.#tls?.current ?? null,
      doorkeeper: counters.doorkeeper(at),
      maxConnections: () => config().limits.connections,
      ...(metrics === undefined ? {} : { accepted: metrics.port(protocol).connections }),
      ...(inherited === null ? {} : { inherited: inherited + at }),
      log,
    })
    return { ...place, listener }
  }
}

/** Where the config says to listen, in the order that all processes share. */
export function placesOf({ listen }: Config): readonly Place[] {
  return PROTOCOLS.flatMap((protocol) =>
    listen[protocol].map((text) => ({ protocol, endpoint: parseEndpoint(text) })),
  )
}

/** For messages on their way that are too large for memory. */
export function temporaryIn({ state }: Config): string {
  return join(state, 'tmp')
}

/** The certificates that a config names. */
export function tlsFiles({ tls, domains }: Config): TlsFiles {
  return { first: tls, others: Object.values(domains).flatMap((domain) => domain.tls ?? []) }
}

/** @returns nothing for a place where no mail can be sent to */
export function takenAt({ protocol, endpoint }: Place, port: number | null): readonly TakenAt[] {
  if (protocol === 'pop3' || protocol === 'pop3s' || endpoint.kind === 'unix') return []
  return port === null ? [] : [{ host: endpoint.host, port }]
}

interface TakenAt {
  readonly host: string | null
  readonly port: number
}
