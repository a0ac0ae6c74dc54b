/** Clients that there is no room for: told so, if that costs little, and counted for the log. */
import type { Peer } from '../cred/credentials.js'
import { type Log, reason } from '../log/log.js'
import type { Excess } from './doorkeeper.js'
import type { Farewell, Session } from './session.js'
import type { Wire } from './wire.js'

/** Clients that are being told at the same time; others are cut off without a word. */
const MAX_REFUSALS = 100
/** The same while files are short: each of them holds one. */
const MAX_SHORT_REFUSALS = 20

/** What a client can do something about is said to be its own doing. */
const FAREWELLS: Readonly<Record<Excess, Farewell>> = {
  listener: 'too-many',
  'in-all': 'too-many',
  descriptors: 'too-many',
  address: 'too-many-yours',
  network: 'too-many-yours',
  'address-rate': 'too-many-yours',
  'network-rate': 'too-many-yours',
}

export interface RefusalsOptions {
  readonly protocol: string
  readonly session: (peer: Peer) => Session
  /** Before the handshake nothing can be said. */
  readonly implicitTls: boolean
  readonly log: Log
}

export class Refusals {
  readonly #options: RefusalsOptions
  #talking = 0
  /** Since the log last told of it. */
  readonly #counts = new Map<Excess, number>()
  #last = ''

  constructor(options: RefusalsOptions) {
    this.#options = options
  }

  /** Says why, and hangs up. Resolves when the client is gone; never rejects. */
  async turnAway(wire: Wire, peer: Peer, why: Excess): Promise<void> {
    this.#counts.set(why, (this.#counts.get(why) ?? 0) + 1)
    this.#last = peer.address
    const most = why === 'descriptors' ? MAX_SHORT_REFUSALS : MAX_REFUSALS
    if (this.#options.implicitTls || this.#talking >= most) return wire.destroy()
    this.#talking++
    try {
      await this.#tell(wire, peer, FAREWELLS[why])
    } catch (error) {
      this.#options.log.error('net session failed', { reason: reason(error) })
    }
    this.#talking--
  }

  async #tell(wire: Wire, peer: Peer, why: Farewell): Promise<void> {
    const session = this.#options.session(peer)
    await wire.write(session.farewell(why))
    await wire.close()
    await session.closed()
  }

  /** Tells the log how many there were, and who was the last of them. */
  report(): void {
    const { log, protocol } = this.#options
    for (const [why, refused] of this.#counts) {
      log.warn('net too many connections', { protocol, why, refused, last: this.#last })
    }
    this.#counts.clear()
  }
}
