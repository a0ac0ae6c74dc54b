/** What a spool on a disk knows in memory of one message: as little as it needs to find what is due. */
import type { Dated } from './due-heap.js'
import type { QueueItem } from './item.js'
import type { Slot } from './lane-index.js'

/** A message of which we have at least the name. */
export interface Entry {
  readonly id: string
  readonly shard: number
  /** Milliseconds since 1970; 0 = not known yet, and older than all that came since the start. */
  received: number
  /** When `waitedMs` of its file was true, on the clock that only goes forward. */
  since: number
  /** `newer` = a later version of mailtap wrote it: it stays where it is. */
  state: 'unread' | 'known' | 'newer'
  /** Its places in the lanes, each naming the next. */
  slot: Slot<Entry> | null
  /** As in its file; kept while it is lent, and for a while after it came. */
  item: QueueItem | null
  loans: readonly Loan[]
}

/** Recipients that a worker has. */
export interface Loan extends Dated {
  readonly entry: Entry
  readonly token: number
  readonly recipients: readonly number[]
}
