/**
 * Hands messages to servers, over connections that are kept for the next message. A connection
 * that had gone while it was kept costs nothing: the message goes over a new one, as long as the
 * server has not answered to MAIL.
 */
import { type Log, reason } from '../log/log.js'
import type { Message } from '../mail/message.js'
import { type HopConnection, openConnection, type Ran } from './hop-connection.js'
import type { Hop, HopResult } from './hop.js'
import { IdleConnections } from './idle-connections.js'
import type { Opening } from './opening.js'
import { PATIENCE, type Patience } from './patience.js'
import type { RelayWork } from './relay.js'

/** Milliseconds that a connection waits for the next message: servers count whom they keep waiting. */
const IDLE_MS = 15_000

export interface HopConnectionsOptions {
  /** What we call ourselves. */
  readonly hostname: string
  readonly log: Log
  /** For tests: less than the RFC gives. */
  readonly patience?: Partial<Patience>
  /** For tests. */
  readonly idleMs?: number
}

export class HopConnections {
  readonly #log: Log
  readonly #options: { readonly hostname: string; readonly patience: Patience }
  readonly #idle: IdleConnections

  constructor({ hostname, log, patience, idleMs = IDLE_MS }: HopConnectionsOptions) {
    this.#log = log
    this.#options = { hostname, patience: { ...PATIENCE, ...patience } }
    this.#idle = new IdleConnections(idleMs)
  }

  /** Hands the message over, all recipients in one transaction. Never throws, always ends. */
  async hand(hop: Hop, work: RelayWork, message: Message): Promise<HopResult> {
    const key = keyOf(hop, work.requireTls)
    const kept = this.#idle.take(key)
    if (kept !== null) {
      const ran = await kept.run(work, message)
      if (!ran.transaction.unheard) return this.#settle(key, kept, work, ran)
    }
    const { connection, failed } = await openConnection(hop, work.requireTls, this.#options)
    if (connection === null) {
      this.#tell(hop, failed.opening, work, failed.why)
      return { kind: 'unusable', why: failed.why }
    }
    return this.#settle(key, connection, work, await connection.run(work, message))
  }

  /** Closes idle connections; what is under way ends by itself, and is not kept. */
  close(): Promise<void> {
    this.#idle.close()
    return Promise.resolve()
  }

  #settle(key: string, connection: HopConnection, work: RelayWork, ran: Ran): HopResult {
    const { transaction, outcomes } = ran
    // The sender need not wait for it.
    void connection.recover(transaction).then(() => this.#idle.put(key, connection))
    const fields = {
      id: work.id,
      server: connection.server,
      tls: connection.tls,
      recipients: outcomes.length,
      refused: outcomes.filter(({ refusal }) => refusal !== null).length,
    }
    if (transaction.fault === null) this.#log.info('relay handed over', fields)
    else this.#log.warn('relay broke off', { ...fields, reason: reason(transaction.fault) })
    if (transaction.nothingSaid) return { kind: 'unusable', why: transaction.why }
    return { kind: 'answered', outcomes }
  }

  /** What somebody must set right is said louder than what passes. */
  #tell(hop: Hop, { server, stage }: Opening, { id }: RelayWork, why: Error): void {
    const fields = { id, server, reason: reason(why) }
    if (stage !== 'login') return this.#log.warn('relay server unusable', { ...fields, stage })
    this.#log.error('relay login failed', { ...fields, user: hop.login?.user })
  }
}

/** Whatever makes one connection unlike another: never shown, as a password is in it. */
function keyOf(hop: Hop, requireTls: boolean): string {
  const { protocol, name, address, port, implicitTls, tls, login } = hop
  return JSON.stringify([protocol, name, address, port, implicitTls, tls, login, requireTls])
}
