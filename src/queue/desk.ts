/**
 * Where people ask for what waits, and say what is to become of it: the contract that a running
 * server fulfils for its owner, and a command for itself where no server runs.
 */
import type { QueueChoice, QueueOrder } from '../mail/queue-choice.js'
import type { QueueItem } from './item.js'

export interface WaitingMessage {
  readonly item: QueueItem
  /** Some of its recipients are being delivered now. */
  readonly active: boolean
}

/** How much of a message's content is wanted. */
export const CONTENT_PARTS = ['header', 'whole'] as const
export type ContentPart = (typeof CONTENT_PARTS)[number]

/** The way that a recipient would go now. */
export interface RoutedRecipient {
  readonly id: string
  readonly to: string
  /** Where it goes: an address elsewhere, or a place of ours. No arguments of programs: they may be secrets. */
  readonly place: string
  readonly lane: string
}

/**
 * What came of an order for one message. `busy` = it is being delivered now, so nothing was
 * changed; for messages that were named only: `nothing` = there was nothing to change, `unknown` =
 * no such message waits.
 */
export interface Deed {
  readonly id: string
  readonly outcome: 'done' | 'busy' | 'nothing' | 'unknown'
  /** The addresses that it was done for. */
  readonly recipients: readonly string[]
}

/** Looking changes nothing. Everything throws what the disk says. */
export interface QueueViews {
  /** All that fit, in the order of the queue; what comes or goes meanwhile may or may not be among them. */
  list(choice: QueueChoice): AsyncIterable<WaitingMessage>
  /** `null` = there is none of that id. */
  show(id: string): Promise<WaitingMessage | null>
  /** With LF line ends; `null` = there is none of that id. */
  content(id: string, part: ContentPart): Promise<AsyncIterable<Buffer> | null>
  /** For all recipients that fit and still wait. */
  route(choice: QueueChoice): AsyncIterable<RoutedRecipient>
}

export interface QueueDesk extends QueueViews {
  /**
   * Does it message by message; each deed is durable when it is told. Whoever stops asking stops
   * the rest. `hold` and `release` are for whole messages, the other verbs for those recipients
   * that fit.
   */
  carryOut(order: QueueOrder): AsyncIterable<Deed>
}
