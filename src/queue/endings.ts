/** One worker's try of one kind of place: how it ended for each recipient that was tried. */
import type { Message } from '../mail/message.js'
import type { Ending } from './aftermath.js'
import type { Job } from './spool.js'

/** By place among the recipients of the item; who is not in it was not tried, and waits as before. */
export type Endings = ReadonlyMap<number, Ending>

export interface Work {
  /**
   * Tries these recipients of a job. Never throws.
   * @param recipients by place in `job.item.recipients`
   */
  attempt(job: Job, recipients: readonly number[], message: Message): Promise<Endings>
}
