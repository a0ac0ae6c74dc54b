/** Where mail lies: mailboxes of users, and Maildirs that are nobody's mailbox here. */
import type { Address } from '../mail/address.js'
import type { Mailbox } from '../mail/mailbox.js'
import type { Message } from '../mail/message.js'
import type { Quota } from '../mail/quota.js'

/** A mailbox that gets a message. */
export interface Place {
  readonly user: Address
  /** How much the user may keep; `null` = as much as there is room for. */
  readonly quota: Quota | null
}

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
   * Adds a message to several mailboxes, which may share what is written. Each stands for itself.
   * @returns for each `null`, or what `append` would have thrown
   */
  appendAll(places: readonly Place[], message: Message): Promise<readonly (Error | null)[]>

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

/** Maildirs that are no user's mailbox: an alias names them. */
export interface Folders {
  /**
   * Adds a message to a Maildir, which is made if it is missing. Durable when this resolves.
   * @param owner who shall own the file; `null` = whoever this process is
   * @throws Refusal noSpace, mailboxBroken, tryLater
   */
  append(path: string, message: Message, owner: FileOwner | null): Promise<void>
}

export interface FileOwner {
  readonly uid: number
  readonly gid: number
}
