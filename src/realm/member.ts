/**
 * The sender that a user holds after a login: it speaks for the user's own
 * addresses, and for no others.
 */
import type { Target } from '../directory/directory.js'
import { type Address, formatAddress, identity } from '../mail/address.js'
import type { Envelope, Opening } from '../mail/envelope.js'
import type { Message } from '../mail/message.js'
import type { Outcome } from '../mail/outcome.js'
import { notYourAddress, Refusal, relayMissing } from '../mail/refusal.js'
import type { Sender } from '../mail/sender.js'
import { completed } from '../mail/submitted.js'
import { checkRecipient, filtered, type SenderParts } from './own-domains.js'

const NOBODY: Address = { local: '', domain: '' }

/** What holds for all users who send; asked each time, a reload changes it. */
export interface SubmissionRules {
  /** Whoever has logged in may send as anybody. */
  anySender(): boolean
  /** For the Message-ID of those that come without. */
  readonly hostname: string
}

export interface MemberParts extends SenderParts {
  readonly rules: SubmissionRules
}

export class Member implements Sender {
  readonly #user: Address
  readonly #parts: MemberParts

  constructor(user: Address, parts: MemberParts) {
    this.#user = user
    this.#parts = parts
  }

  /** The null path is everybody's: reports of reading (RFC 8098) are sent with it. */
  async checkFrom({ from }: Opening): Promise<void> {
    if (from === null || this.#parts.rules.anySender() || (await this.#owns(from))) return
    throw notYourAddress(formatAddress(this.#user))
  }

  async checkTo(opening: Opening, to: Address): Promise<void> {
    const { directory, relays } = this.#parts
    if (await directory.owns(to.domain)) return checkRecipient(this.#parts, opening, to)
    if (!relays?.()) throw relayMissing()
  }

  checkRoom({ declaredSize }: Opening): Promise<void> {
    return this.#parts.store.checkRoom(declaredSize)
  }

  /** Filters see the message as it will be: one of them may sign it. */
  async send(envelope: Envelope, message: Message): Promise<readonly Outcome[]> {
    const { queue, rules, filter } = this.#parts
    const { hostname } = rules
    const whole = await completed(message, { id: envelope.id, hostname, now: new Date() })
    return queue.put(envelope, await filtered(filter, envelope, whole))
  }

  /** True if mail for that address reaches this user: an alias is his, too. */
  async #owns(address: Address): Promise<boolean> {
    const user = identity(this.#user)
    if (identity(address) === user) return true
    const { directory } = this.#parts
    if (!(await directory.owns(address.domain))) return false
    const targets = await directory.resolve(address).catch(nobodys)
    return targets.some((target) => identity(placeOwner(target) ?? NOBODY) === user)
  }
}

/** An address that refuses mail for good belongs to nobody who could send from it. */
function nobodys(error: unknown): readonly Target[] {
  if (error instanceof Refusal && !error.temporary) return []
  throw error
}

function placeOwner(target: Target): Address | null {
  if (target.kind === 'mailbox') return target.user
  return target.kind === 'lmtp' ? target.to : null
}
