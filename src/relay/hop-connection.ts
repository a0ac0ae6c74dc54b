/** A connection to a server over which mail goes, one message after another. */
import type { Message } from '../mail/message.js'
import type { Refusal } from '../mail/refusal.js'
import { isGood } from '../transport/reply.js'
import type { Talk } from '../transport/talk.js'
import type { Hop } from './hop.js'
import { Opening } from './opening.js'
import type { Patience } from './patience.js'
import type { RelayWork } from './relay.js'
import { Transaction } from './transaction.js'

/** Some servers want to see a new connection then; it also spreads load over those behind one name. */
const MAX_MESSAGES = 100

export interface ConnectionOptions {
  /** What we call ourselves. */
  readonly hostname: string
  readonly patience: Patience
}

/** What came of the opening. */
export type Opened =
  | { readonly connection: HopConnection; readonly failed: null }
  | {
      readonly connection: null
      readonly failed: { readonly opening: Opening; readonly why: Refusal }
    }

export class HopConnection {
  readonly #talk: Talk
  /** What was seen on the way here. */
  readonly opening: Opening
  readonly #protocol: Hop['protocol']
  readonly #patience: Patience
  #messages = 0

  constructor(talk: Talk, opening: Opening, hop: Hop, patience: Patience) {
    this.#talk = talk
    this.opening = opening
    this.#protocol = hop.protocol
    this.#patience = patience
  }

  /** `name [address]`. */
  get server(): string {
    return this.opening.server
  }

  /** TLS version; `null` = in clear. */
  get tls(): string | null {
    return this.opening.tls?.version ?? null
  }

  /** True if another message may be sent over it. */
  get usable(): boolean {
    return this.#messages < MAX_MESSAGES && this.#talk.quiet
  }

  /** Runs it; `recover` comes next. */
  async run(work: RelayWork, message: Message): Promise<Ran> {
    this.#messages++
    const transaction = new Transaction(
      {
        talk: this.#talk,
        protocol: this.#protocol,
        server: this.server,
        extensions: this.opening.extensions,
        patience: this.#patience,
      },
      work,
      message,
    )
    return { transaction, outcomes: await transaction.run() }
  }

  /** Makes it ready for the next message, if it can be. Never throws. */
  async recover({ aftermath }: Transaction): Promise<void> {
    if (aftermath !== 'reset' || !this.usable) return
    try {
      if (!isGood(await this.#talk.ask('RSET', this.#patience.reset))) this.#talk.close()
    } catch {
      this.#talk.close()
    }
  }

  quit(): void {
    this.#talk.quit()
  }
}

export interface Ran {
  readonly transaction: Transaction
  readonly outcomes: Awaited<ReturnType<Transaction['run']>>
}

/** Connects, with TLS and login as the hop says; where TLS may fail, without it (RFC 7435). */
export async function openConnection(
  hop: Hop,
  requireTls: boolean,
  options: ConnectionOptions,
): Promise<Opened> {
  const first = await attempt(hop, options, { requireTls, inClear: false })
  if (first.failed === null || !first.failed.opening.mayDoWithoutTls) return first
  return attempt(hop, options, { requireTls, inClear: true })
}

async function attempt(
  hop: Hop,
  options: ConnectionOptions,
  how: { readonly requireTls: boolean; readonly inClear: boolean },
): Promise<Opened> {
  const opening = new Opening(hop, { ...options, ...how })
  try {
    const talk = await opening.run()
    const connection = new HopConnection(talk, opening, hop, options.patience)
    return { connection, failed: null }
  } catch (error) {
    // An opening throws nothing else.
    return { connection: null, failed: { opening, why: error as Refusal } }
  }
}
