/** One client from the moment that it is accepted: who it is, whether there is room for it, and then its session. */
import type { Peer } from '../cred/credentials.js'
import { type Log, reason } from '../log/log.js'
import type { Certificates } from './certificates.js'
import { Connection } from './connection.js'
import type { Doorkeeper } from './doorkeeper.js'
import { readProxied } from './proxied.js'
import type { Refusals } from './refusals.js'
import type { Session, TlsFacts } from './session.js'
import type { Wire } from './wire.js'

export interface GuestOptions {
  readonly session: (peer: Peer) => Session
  readonly implicitTls: boolean
  readonly certificates: () => Certificates | null
  readonly doorkeeper: Doorkeeper
  readonly log: Log
}

export class Guest {
  readonly #wire: Wire
  readonly #options: GuestOptions
  readonly #refusals: Refusals
  #connection: Connection | null = null

  constructor(wire: Wire, options: GuestOptions, refusals: Refusals) {
    this.#wire = wire
    this.#options = options
    this.#refusals = refusals
  }

  /**
   * Resolves when the client is gone. Never rejects.
   * @param peer who is at the other end of the wire
   * @param isProxy true if that one speaks for another, and says so first
   */
  async run(peer: Peer, isProxy: boolean): Promise<void> {
    try {
      if (isProxy) await this.#introduced(peer)
      else await this.#enter(peer, null)
    } catch (error) {
      this.#options.log.error('net client not served', { reason: reason(error) })
    }
    this.#wire.destroy()
  }

  /** Ends it as soon as what is being worked on has its answer. */
  stop(): void {
    if (this.#connection === null) this.#wire.destroy()
    else this.#connection.stop()
  }

  /** Ends it now, whatever it does. */
  destroy(): void {
    this.#wire.destroy()
  }

  sweep(now: number): void {
    this.#wire.sweep(now)
  }

  async #introduced(proxy: Peer): Promise<void> {
    const proxied = await readProxied(this.#wire, proxy)
    if (typeof proxied !== 'string') return this.#enter(proxied.peer, proxied.tls)
    if (proxied === '') return
    const { log } = this.#options
    log.warn('net proxy not understood', { proxy: proxy.address, reason: proxied })
  }

  async #enter(peer: Peer, tls: TlsFacts | null): Promise<void> {
    const admission = await this.#options.doorkeeper.admit(peer.address)
    if (!admission.admitted) return this.#refusals.turnAway(this.#wire, peer, admission.why)
    try {
      await this.#serve(peer, tls)
    } finally {
      admission.leave()
    }
  }

  /** @returns what is over when the client is gone */
  #serve(peer: Peer, proxiedTls: TlsFacts | null): Promise<void> | null {
    // It may have gone meanwhile, or the server stops: then there is nobody to make a session for.
    if (this.#wire.gone) return null
    const { session, implicitTls, certificates, log } = this.#options
    const secure = implicitTls || proxiedTls !== null
    this.#connection = new Connection({
      wire: this.#wire,
      session: session({ ...peer, secure }),
      implicitTls,
      // Another TLS begins here, and that one counts.
      proxiedTls: implicitTls ? null : proxiedTls,
      certificates,
      log,
    })
    return this.#connection.run()
  }
}
