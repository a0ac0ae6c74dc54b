/** The spool in memory, with faults and years that a test can order. */
import type { Message } from '../../src/mail/message.js'
import type { QueuedRecipient, QueueItem } from '../../src/queue/item.js'
import { MemorySpool } from '../../src/queue/memory-spool.js'
import type { Job, Settled } from '../../src/queue/spool.js'
import type { LaneOf } from '../../src/queue/ways.js'

const YEAR = 366 * 86_400_000

export class FaultySpool extends MemorySpool {
  /** Thrown by the next calls of these methods, one each. */
  readonly faults: Record<'add' | 'settle' | 'message', Error[]> = {
    add: [],
    settle: [],
    message: [],
  }
  /** The next changes find the message lent. */
  busy = 0
  /** Every id that ever came in, in order. */
  readonly added: string[] = []
  /** How often a content was read back. */
  reads = 0
  readonly #skipped: { ms: number }

  constructor(laneOf: LaneOf) {
    const skipped = { ms: 0 }
    super({
      laneOf,
      maxRetryMs: YEAR,
      clock: { now: Date.now, steady: () => Math.floor(performance.now()) + skipped.ms },
    })
    this.#skipped = skipped
  }

  /** So much later all messages have waited for as long. */
  age(ms: number): void {
    this.#skipped.ms += ms
  }

  async items(): Promise<QueueItem[]> {
    const items = await Promise.all(this.ids().map((id) => this.read(id)))
    return items.flatMap((item) => item ?? [])
  }

  override async add(item: QueueItem, message: Message): Promise<void> {
    fail(this.faults.add)
    const before = this.ids().length
    await super.add(item, message)
    if (this.ids().length > before) this.added.push(item.id)
  }

  override async settle(
    job: Job,
    changes: ReadonlyMap<number, QueuedRecipient>,
  ): Promise<Settled | null> {
    fail(this.faults.settle)
    return super.settle(job, changes)
  }

  override async change(id: string, by: (item: QueueItem) => QueueItem | null): Promise<boolean> {
    if (this.busy > 0) {
      this.busy--
      return false
    }
    return super.change(id, by)
  }

  override async message(item: QueueItem): Promise<Message> {
    fail(this.faults.message)
    this.reads++
    return super.message(item)
  }
}

function fail(faults: Error[]): void {
  const fault = faults.shift()
  if (fault !== undefined) throw fault
}
