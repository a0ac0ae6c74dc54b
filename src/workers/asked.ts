/** What a worker shares with the others: counters and the spool, each asked of the primary. */
import type { Peer } from '../cred/credentials.js'
import { LoginThrottled } from '../cred/errors.js'
import type { Attempt, Claim, Throttle } from '../cred/throttle.js'
import type { Limiter, Verdict } from '../limits/limits.js'
import { type Log, reason } from '../log/log.js'
import { inMemory, type Message } from '../mail/message.js'
import type { QueueItem } from '../queue/queue.js'
import type { Channel } from './channel.js'
import { writeParcel } from './parcels.js'
import type { ForPrimary, ForWorker, Hit } from './workers.js'

export type Primary = Channel<ForPrimary, ForWorker>

/** Milliseconds. Longer than that no client waits for a counter: then it is let in uncounted. */
const COUNT_MS = 5_000
/** Milliseconds. The primary may wait for others of the same place, and slow a guesser down. */
const ATTEMPT_MS = 40_000
/** Milliseconds that the spool may take; then the client hears "later", and may send it twice. */
const KEEP_MS = 120_000
/** Octets of a message that is sent as it is. */
const MAX_INLINE = 128 * 1024

export class AskedLimiter implements Limiter {
  readonly #primary: Primary

  constructor(primary: Primary) {
    this.#primary = primary
  }

  /** @throws Unanswered */
  hit(...asked: Hit): Promise<Verdict> {
    return this.#primary.ask('hit', asked, COUNT_MS)
  }

  /** @throws Unanswered */
  peek(...asked: Hit): Promise<Verdict> {
    return this.#primary.ask('peek', asked, COUNT_MS)
  }
}

/** Of a login that nobody counts. */
const UNCOUNTED: Attempt = { ended: async () => {} }

export class AskedThrottle implements Throttle {
  readonly #primary: Primary
  readonly #exempt: (address: string) => boolean
  readonly #log: Log

  /** @param exempt whether logins from there are counted by nobody */
  constructor(primary: Primary, exempt: (address: string) => boolean, log: Log) {
    this.#primary = primary
    this.#exempt = exempt
    this.#log = log
  }

  async admit({ peer, username }: Claim): Promise<Attempt> {
    if (this.#exempt(peer.address)) return UNCOUNTED
    const attempt = await this.#ask(peer, username)
    if (attempt === undefined) return UNCOUNTED
    if (attempt === null) throw new LoginThrottled('too many failed')
    return {
      ended: async (outcome) => this.#primary.tell('attempted', { attempt, outcome }),
    }
  }

  /** @returns `undefined` if nobody counts it */
  async #ask(peer: Peer, username: string): Promise<number | null | undefined> {
    try {
      return await this.#primary.ask('attempt', { peer, username }, ATTEMPT_MS, (late) => {
        // It would count as being judged for ever, and keep others of its place out.
        if (late !== null) this.#primary.tell('attempted', { attempt: late, outcome: 'unknown' })
      })
    } catch (error) {
      this.#log.error('limits not counted', { reason: reason(error) })
      return undefined
    }
  }
}

export class AskedGreylist {
  readonly #primary: Primary

  constructor(primary: Primary) {
    this.#primary = primary
  }

  /** By the settings that the primary has. @throws Unanswered: then the mail comes later */
  wait(network: string, triplet: string): Promise<number> {
    return this.#primary.ask('greylist', { network, triplet }, COUNT_MS)
  }
}

/** The spool as far as whoever takes mail needs it. */
export class AskedSpool {
  readonly #primary: Primary
  readonly #directory: string

  /** @param directory for large messages on their way */
  constructor(primary: Primary, directory: string) {
    this.#primary = primary
    this.#directory = directory
  }

  /** Durable when resolved. @throws Unanswered, or what the disk says */
  async add(item: QueueItem, message: Message): Promise<void> {
    const content = message.open()
    const small = message.size <= MAX_INLINE && inMemory(content)
    const body = small
      ? { octets: Buffer.concat([...content]) }
      : { parcel: await writeParcel(this.#directory, message) }
    await this.#primary.ask('keep', { item, body }, KEEP_MS)
  }
}
