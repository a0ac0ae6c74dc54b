/** Where mail lies. */
import type { Address } from '../mail/address.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import type { Quota } from '../mail/quota.js'

export interface Store {
  /** The user's mail, frozen now. Made empty if there is none yet. Throws when it cannot be read. */
  open(user: Address): Promise<Mailbox>

  /**
   * Adds a message. When this resolves it is on the disk and will be there
   * after a power cut; when it throws, nothing of it is visible.
   * @param quota how much the user may keep; without it as much as there is room for
   * @throws Refusal mailboxFull, noSpace, mailboxBroken, tryLater
   */
  append(user: Address, message: Message, quota?: Quota | null): Promise<void>

  /**
   * Could the user keep a message of that size? Asked often: the answer may be a second old.
   * @param size octets, `null` if unknown
   * @throws Refusal mailboxFull
   */
  checkQuota(user: Address, quota: Quota, size: number | null): Promise<void>

  /**
   * Could a message of that size be stored now?
   * @param size octets, `null` if unknown
   * @throws Refusal noSpace
   */
  checkRoom(size: number | null): Promise<void>
}
