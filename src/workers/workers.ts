/**
 * What the processes of a server ask one another: the contract between the primary, which has what
 * is shared (counters, the spool), and its workers, which have the clients.
 */
import type { Peer } from '../cred/credentials.js'
import type { Excess } from '../net/doorkeeper.js'
import type { Verdict } from '../limits/limits.js'
import type { QueueItem } from '../queue/queue.js'

/** Questions by name: what is asked, and what comes back. */
export type Book = Readonly<Record<string, { readonly asked: unknown; readonly answer: unknown }>>

/** Who answers them. What an answer throws is thrown at the other end, with its message and code. */
export type Answers<B extends Book> = {
  readonly [K in keyof B]: (asked: B[K]['asked']) => B[K]['answer'] | Promise<B[K]['answer']>
}

/** Arguments of `Limiter.hit` and `Limiter.peek`. */
export type Hit = readonly [key: string, cost: number, perSecond: number, burst: number]

/** What a worker asks the primary. */
export type ForPrimary = {
  /** Is there room for one more client? The number of its ticket, or why there is none. */
  admit: {
    asked: { readonly address: string; readonly listener: number }
    answer: number | Excess
  }
  /** Tickets in advance, for clients to whom only the limits in all apply; none when there is little room. */
  stock: {
    asked: { readonly listener: number; readonly tickets: number }
    answer: readonly number[]
  }
  /** A client with a ticket has gone. */
  leave: { asked: number; answer: void }
  hit: { asked: Hit; answer: Verdict }
  peek: { asked: Hit; answer: Verdict }
  /** May that login be judged? The number of the attempt; `null` = too many have failed. */
  attempt: {
    asked: { readonly peer: Peer; readonly username: string }
    answer: number | null
  }
  /** How an attempt ended. */
  attempted: {
    asked: { readonly attempt: number; readonly outcome: 'accepted' | 'refused' | 'unknown' }
    answer: void
  }
  /** Puts a message into the spool, durably. */
  keep: { asked: { readonly item: QueueItem; readonly body: Body }; answer: void }
  /** Seconds that greylisting makes mail wait; 0 = welcome. */
  greylist: {
    asked: { readonly network: string; readonly triplet: string }
    answer: number
  }
}

/** The content of a message: as it is, or the name of a parcel (parcels.ts). */
export type Body = { readonly octets: Uint8Array } | { readonly parcel: string }

/** What the primary asks a worker. */
export type ForWorker = {
  /** The first question: serve clients. @throws what kept it from that */
  start: { asked: Order; answer: void }
  /** Are you alive? */
  ping: { asked: null; answer: void }
  /** Takes up changed settings. @throws when it cannot; it is of no use then */
  reload: { asked: unknown; answer: void }
  /** Takes no new client, lets running work finish and ends the process. */
  stop: { asked: null; answer: void }
}

export interface Order {
  /** The settings, as config/sent.ts packs them. */
  readonly config: unknown
}

/** The descriptor of the first listening socket that a worker inherits; the others follow. */
export const FIRST_SOCKET = 4
