/**
 * Where messages wait: the seam behind which a disk (disk-spool.ts), memory or
 * a database stands. At least once: what was added comes out of `claim` until it
 * is settled for good, also after a crash in the middle of anything.
 */
import type { Message } from '../mail/message.js'
import type { QueueItem, QueuedRecipient } from './item.js'

/** Some recipients of one message that go the same way, lent to one worker. */
export interface Job {
  readonly item: QueueItem
  /** Which recipients, by place in `item.recipients`. */
  readonly recipients: readonly number[]
  /** The way that they go: shares connections and limits. */
  readonly lane: string
  /** What tells this loan from an earlier or later one. */
  readonly token: number
}

/** How many jobs of a lane may be lent now; 0 = none. */
export type Room = (lane: string) => number

export interface Spool {
  /**
   * Durable when resolved: files and directories are on the disk. An id that is there already
   * changes nothing (a report made twice after a crash is one report).
   * @throws what the disk says; nothing of the message is left then
   */
  add(item: QueueItem, message: Message): Promise<void>

  /**
   * Lends what is due, the longest due first, never a recipient that is lent already, never more
   * of a lane than there is room for: a lane that is full does not hold up the others.
   * @param max jobs
   * @param leaseMs milliseconds after which others may have it
   */
  claim(max: number, leaseMs: number, room: Room): Promise<readonly Job[]>

  /** @returns false = the lease was lost */
  renew(job: Job, leaseMs: number): Promise<boolean>

  /**
   * Writes what became of recipients of a job (by place in `item.recipients`) durably, and ends the
   * loan. A message all of whose recipients are final and reported is removed.
   * @returns the item as it is now and whether other jobs of it are lent; `null` = the lease was
   *   lost, and nothing was written
   */
  settle(job: Job, changes: ReadonlyMap<number, QueuedRecipient>): Promise<Settled | null>

  /**
   * Changes a message that is not lent (held, released, dropped, reported …). `null` = take it out;
   * the very item that came = leave it as it is.
   * @returns false = there is none, or it is lent now
   */
  change(id: string, by: (item: QueueItem) => QueueItem | null): Promise<boolean>

  /** `null` = there is none. */
  read(id: string): Promise<QueueItem | null>

  /** The content. @throws what the disk says */
  message(item: QueueItem): Promise<Message>

  /** All messages, oldest first; what comes or goes meanwhile may or may not be among them. */
  ids(): readonly string[]

  /**
   * Messages that wait for nothing but that a sender is told: what was added like that, what was
   * settled and not reported yet, and what a crash left between the two. None that is lent.
   */
  untold(): readonly string[]

  /** When something is due next, milliseconds since 1970; `null` = nothing waits. Full lanes are not looked at. */
  nextDue(room: Room): number | null

  /** After a reload: recipients may go another way now. */
  relane(): void
}

export interface Settled {
  readonly item: QueueItem
  readonly othersLent: boolean
}
