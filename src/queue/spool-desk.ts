/** The desk of a spool that is at work: what people say is done between two tries of a message, never during one. */
import { formatAddress } from '../mail/address.js'
import type { Log } from '../log/log.js'
import type { QueueOrder } from '../mail/queue-choice.js'
import { recipientsMeant } from './chosen.js'
import type { Deed, QueueDesk, WaitingMessage } from './desk.js'
import type { QueueItem } from './item.js'
import { type Changed, changedBy } from './orders.js'
import type { Spool } from './spool.js'
import { tellTry } from './tell.js'
import { TOGETHER, Views } from './views.js'
import { isDone, type LaneOf } from './ways.js'

export interface DeskParts {
  readonly spool: Pick<Spool, 'ids' | 'read' | 'change' | 'message'>
  readonly laneOf: LaneOf
  /** Looks now for what is due. */
  readonly kick: () => void
  /** Sees to what is to be told of a message. Never throws. */
  readonly report: (item: QueueItem) => Promise<void>
  readonly log: Log
  /** Milliseconds since 1970; the system's clock unless a test brings its own. */
  readonly now?: () => number
}

export class SpoolDesk extends Views implements QueueDesk {
  readonly #parts: DeskParts
  readonly #clock: () => number

  constructor(parts: DeskParts) {
    const { spool, laneOf, now = Date.now } = parts
    const source = {
      ids: async () => spool.ids(),
      look: (id: string) => look(spool, id),
      message: (item: QueueItem) => spool.message(item),
    }
    super(source, laneOf, now)
    this.#parts = parts
    this.#clock = now
  }

  async *carryOut(order: QueueOrder): AsyncIterable<Deed> {
    const { spool, kick } = this.#parts
    const named = order.choice.ids.length > 0
    const ids = named ? order.choice.ids : spool.ids()
    for (let at = 0; at < ids.length; at += TOGETHER) {
      const some = ids.slice(at, at + TOGETHER)
      const deeds = await Promise.all(some.map((id) => this.#carryOut(order, id)))
      if (!order.dryRun && deeds.some(({ outcome }) => outcome === 'done')) kick()
      yield* deeds.filter(({ outcome }) => named || outcome === 'done' || outcome === 'busy')
    }
  }

  async #carryOut(order: QueueOrder, id: string): Promise<Deed> {
    const now = this.#clock()
    const changes: (Changed | null)[] = []
    const free = await this.#parts.spool.change(id, (item) => {
      const changed = changedBy(order, item, now)
      changes.push(changed)
      return changed === null || order.dryRun ? item : changed.item
    })
    if (!free) return this.#untouched(order, id, now)
    const [changed = null] = changes
    if (changed === null) return { id, outcome: 'nothing', recipients: [] }
    if (!order.dryRun) await this.#done(order, changed, now)
    return { id, outcome: 'done', recipients: namesOf(changed) }
  }

  /** There is no such message, or somebody has it now. */
  async #untouched({ choice }: QueueOrder, id: string, now: number): Promise<Deed> {
    const item = await this.#parts.spool.read(id)
    if (item === null) return { id, outcome: 'unknown', recipients: [] }
    const meant = recipientsMeant(choice, { item, active: true }, now)
    return { id, outcome: meant.length > 0 ? 'busy' : 'nothing', recipients: [] }
  }

  async #done({ verb }: QueueOrder, { item, touched }: Changed, now: number): Promise<void> {
    const { log, report } = this.#parts
    const { id } = item
    log.info('queue order', { id, verb, nrcpt: touched.length })
    if (verb !== 'drop' && verb !== 'bounce') return
    for (const at of touched) tellTry(log, item, item.recipients[at]!, now)
    if (isDone(item)) log.info('queue removed', { id })
    else await report(item)
  }
}

/** Asking for no change tells whether anybody has it now. */
async function look(spool: DeskParts['spool'], id: string): Promise<WaitingMessage | null> {
  const seen: QueueItem[] = []
  await spool.change(id, (item) => {
    seen.push(item)
    return item
  })
  const [free] = seen
  if (free !== undefined) return { item: free, active: false }
  const item = await spool.read(id)
  return item === null ? null : { item, active: true }
}

function namesOf({ item, touched }: Changed): string[] {
  return [...new Set(touched.map((at) => formatAddress(item.recipients[at]!.to)))]
}
