/** Answers what people ask of the messages that wait, wherever these are read from. */
import { formatAddress } from '../mail/address.js'
import type { Message } from '../mail/message.js'
import type { QueueChoice } from '../mail/queue-choice.js'
import { placeOf, type Target } from '../directory/directory.js'
import { recipientsMeant } from './chosen.js'
import type { ContentPart, QueueViews, RoutedRecipient, WaitingMessage } from './desk.js'
import { headerOf } from './header-part.js'
import type { QueueItem } from './item.js'
import type { LaneOf } from './ways.js'

/** Where messages can be looked at. */
export interface QueueSource {
  ids(): Promise<readonly string[]>
  /** `null` = there is none. @throws what the disk says */
  look(id: string): Promise<WaitingMessage | null>
  /** @throws what the disk says */
  message(item: QueueItem): Promise<Message>
}

/** Messages that are looked at side by side: a disk has them sooner together. */
export const TOGETHER = 16

export class Views implements QueueViews {
  readonly #source: QueueSource
  readonly #laneOf: LaneOf
  readonly #now: () => number

  /** @param now milliseconds since 1970; the system's clock unless a test brings its own */
  constructor(source: QueueSource, laneOf: LaneOf, now: () => number = Date.now) {
    this.#source = source
    this.#laneOf = laneOf
    this.#now = now
  }

  async *list(choice: QueueChoice): AsyncIterable<WaitingMessage> {
    const now = this.#now()
    for await (const found of this.#looked(choice)) {
      if (recipientsMeant(choice, found, now).length > 0) yield found
    }
  }

  show(id: string): Promise<WaitingMessage | null> {
    return this.#source.look(id)
  }

  async content(id: string, part: ContentPart): Promise<AsyncIterable<Buffer> | null> {
    const found = await this.#source.look(id)
    if (found === null) return null
    const message = await this.#source.message(found.item)
    return part === 'header' ? headerOf(message) : whole(message)
  }

  async *route(choice: QueueChoice): AsyncIterable<RoutedRecipient> {
    const now = this.#now()
    for await (const found of this.#looked(choice)) {
      const { item } = found
      for (const at of recipientsMeant(choice, found, now)) {
        const recipient = item.recipients[at]!
        if (recipient.state !== 'waiting') continue
        const { to, target } = recipient
        const lane = this.#laneOf(item, recipient)
        yield { id: item.id, to: formatAddress(to), place: nameOf(target), lane }
      }
    }
  }

  async *#looked({ ids }: QueueChoice): AsyncIterable<WaitingMessage> {
    const all = ids.length > 0 ? ids : await this.#source.ids()
    for (let at = 0; at < all.length; at += TOGETHER) {
      const some = all.slice(at, at + TOGETHER)
      const found = await Promise.all(some.map((id) => this.#source.look(id)))
      yield* found.filter((each) => each !== null)
    }
  }
}

/** The arguments of a program may be secrets. */
function nameOf(target: Target): string {
  if (target.kind === 'remote') return formatAddress(target.address)
  return target.kind === 'program' ? `program ${target.command[0] ?? ''}` : placeOf(target)
}

async function* whole(message: Message): AsyncIterable<Buffer> {
  yield* message.open()
}
