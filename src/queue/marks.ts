/**
 * Which recipients have been reported on, until the spool has it in writing: while a message is
 * lent nobody else may change it, and a second look must not make a second report.
 */
import type { QueuedRecipient, QueueItem } from './item.js'

/** Messages; beyond, the oldest are forgotten, at the price of a second report. */
const MAX_MESSAGES = 10_000

export class Marks {
  readonly #marks = new Map<string, ReadonlyMap<number, 'ended' | 'delayed'>>()

  has(id: string): boolean {
    return this.#marks.has(id)
  }

  forget(id: string): void {
    this.#marks.delete(id)
  }

  add(item: QueueItem, recipients: readonly number[]): void {
    if (recipients.length === 0) return
    const marks = new Map(this.#marks.get(item.id))
    for (const at of recipients) {
      marks.set(at, item.recipients[at]!.state === 'waiting' ? 'delayed' : 'ended')
    }
    this.#marks.set(item.id, marks)
    const [oldest] = this.#marks.keys()
    if (this.#marks.size > MAX_MESSAGES && oldest !== undefined) this.#marks.delete(oldest)
  }

  /** The message with what is known of reports on it. */
  on(item: QueueItem): QueueItem {
    const marks = this.#marks.get(item.id)
    if (marks === undefined) return item
    const recipients = item.recipients.map((recipient, at) => marked(recipient, marks.get(at)))
    return { ...item, recipients }
  }
}

/** Whoever has been told of a delay is still to hear of the end. */
function marked(
  recipient: QueuedRecipient,
  mark: 'ended' | 'delayed' | undefined,
): QueuedRecipient {
  if (mark === undefined) return recipient
  const reported = recipient.reported || mark === 'ended'
  return { ...recipient, delayReported: true, reported }
}
