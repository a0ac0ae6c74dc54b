/** The store on a local disk: a Maildir per user. */
import {
  create,
  Delivery,
  type Entry,
  errorCode,
  list,
  type Listing,
  MaildirFault,
  mayWarn,
  noteAdded,
  notWarned,
  read,
  remove,
  type Usage,
  WARNED_AT,
} from '../../maildir/maildir.js'
import { type Log, reason, silent } from '../log/log.js'
import { type Address, formatAddress } from '../mail/address.js'
import {
  type Mailbox,
  MessageUnavailable,
  type Pieces,
  RemovalIncomplete,
  type StoredMessage,
} from '../mail/mailbox.js'
import { type Bytes, inMemory, type Message } from '../mail/message.js'
import type { Quota } from '../mail/quota.js'
import { mailboxBroken, noSpace, Refusal, tryLater } from '../mail/refusal.js'
import { quotaWarning } from './quota-warning.js'
import { Quotas } from './quotas.js'
import { Room } from './room.js'
import type { Store } from './store.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** What is wrong with one mailbox, while the others are well. */
const BROKEN = new Set(['EACCES', 'EISDIR', 'ELOOP', 'ENAMETOOLONG', 'ENOENT', 'ENOTDIR', 'EPERM'])

export interface MaildirsOptions {
  /** The path of a user's Maildir; `null` if there is no such user. Its parent must exist. */
  home(user: Address): string | null
  /** Directories under which mail lies: their file systems are asked for room. */
  roots(): Iterable<string>
  /** This machine's name, for the names of the files. */
  readonly host: string
  /** Octets that stay free on the disk whatever comes in. */
  readonly reserveBytes: number
  /** True: what is removed goes into the mailbox's trash. Asked each time; without it nothing does. */
  keepsDeleted?(): boolean
  readonly log?: Log
  /** Told after each message that is safe on the disk, with its file. Must not throw. */
  onDelivered?(user: Address, path: string): void
}

export class Maildirs implements Store {
  readonly #options: MaildirsOptions
  readonly #delivery: Delivery
  readonly #room: Room
  readonly #quotas: Quotas
  readonly #log: Log

  constructor(options: MaildirsOptions) {
    this.#options = options
    this.#log = options.log ?? silent
    this.#quotas = new Quotas(this.#log)
    this.#delivery = new Delivery(options.host)
    this.#room = new Room(() => options.roots(), options.reserveBytes)
  }

  /** @throws NotAMaildir or the system's error: a login that fails for a while, no more */
  async open(user: Address): Promise<Mailbox> {
    const home = this.#home(user)
    return new MaildirMailbox(await listOrCreate(home), {
      keepsDeleted: () => this.#options.keepsDeleted?.() ?? false,
      onRemoved: () => this.#quotas.forget(home),
    })
  }

  async append(user: Address, message: Message, quota: Quota | null = null): Promise<void> {
    const home = this.#home(user)
    const size = { bytes: message.size, messages: 1 }
    const over = quota === null ? null : await this.#quotas.reserve(home, quota, size)
    try {
      await this.#add(user, home, message, size)
    } catch (error) {
      over?.(false)
      throw error
    }
    over?.(true)
    if (quota !== null) await this.#warn(user, home, quota)
  }

  async checkQuota(user: Address, quota: Quota, size: number | null): Promise<void> {
    await this.#quotas.check(this.#home(user), quota, size)
  }

  checkRoom(size: number | null): Promise<void> {
    return this.#room.check(size)
  }

  async #add(user: Address, home: string, message: Message, size: Usage): Promise<void> {
    const path = await this.#deliver(home, message)
    await noteAdded(home, size)
    this.#options.onDelivered?.(user, path)
  }

  /** Once, when the mailbox has become so full. The message before it is delivered, whatever becomes of this. */
  async #warn(user: Address, home: string, quota: Quota): Promise<void> {
    const fullness = await this.#quotas.fullness(home, quota)
    if (fullness < WARNED_AT) return
    try {
      if (!(await mayWarn(home))) return
      const letter = quotaWarning(user, quota, fullness)
      await this.#add(user, home, letter, { bytes: letter.size, messages: 1 })
      this.#log.info('quota warning', { user: formatAddress(user) })
    } catch (error) {
      await notWarned(home)
      this.#log.warn('no quota warning', { user: formatAddress(user), reason: reason(error) })
    }
  }

  async #deliver(home: string, message: Message): Promise<string> {
    try {
      return await this.#delivery.deliver(home, message)
    } catch (error) {
      throw refusalFor(error)
    }
  }

  /** Whoever asks has resolved the address before; a user removed meanwhile is nobody's permanent error. */
  #home(user: Address): string {
    const home = this.#options.home(user)
    if (home === null) throw mailboxBroken(new Error('the user has no mailbox any more'))
    return home
  }
}

/** What a client is told; every fault of ours passes. What is no fault of the disk stays as thrown. */
export function refusalFor(error: unknown): unknown {
  if (error instanceof Refusal) return error
  if (error instanceof MaildirFault) return mailboxBroken(error)
  const code = errorCode(error)
  if (code === undefined) return error
  if (FULL.has(code)) return noSpace(error)
  return BROKEN.has(code) ? mailboxBroken(error) : tryLater(error)
}

async function listOrCreate(home: string): Promise<Listing> {
  try {
    return await list(home)
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error
  }
  await create(home)
  return list(home)
}

/** What a mailbox asks and tells its store. */
interface Removals {
  keepsDeleted(): boolean
  onRemoved(): void
}

class MaildirMailbox implements Mailbox {
  readonly messages: readonly StoredMessage[]
  readonly #listing: Listing
  readonly #removals: Removals

  constructor(listing: Listing, removals: Removals) {
    this.#listing = listing
    this.#removals = removals
    this.messages = listing.entries
  }

  open(message: StoredMessage, pieces?: Pieces): Bytes | Promise<Bytes> {
    const content = read(this.#listing, this.#entry(message), pieces)
    return content instanceof Promise ? opened(content) : content
  }

  async remove(messages: Iterable<StoredMessage>, stillOurs?: () => boolean): Promise<void> {
    const entries = Array.from(messages, (message) => this.#entry(message))
    const { left, cause } = await this.#remove(entries, stillOurs)
    if (left > 0) throw new RemovalIncomplete(left, { cause })
  }

  async #remove(
    entries: readonly Entry[],
    stillOurs?: () => boolean,
  ): Promise<{ left: number; cause?: unknown }> {
    try {
      return await remove(this.#listing, entries, this.#removals.keepsDeleted(), stillOurs)
    } catch (error) {
      // Without the fsync any of them may come back.
      throw new RemovalIncomplete(entries.length, { cause: error })
    } finally {
      this.#removals.onRemoved()
    }
  }

  #entry(message: StoredMessage): Entry {
    // Found by where it claims to be: a map of 100,000 ids would cost more than the login.
    const at = 'at' in message ? Number(message.at) : -1
    const entry = this.#listing.entries[at]
    if (entry !== message) throw new MessageUnavailable('no message of this mailbox')
    return entry
  }
}

async function opened(opening: Promise<Bytes>): Promise<Bytes> {
  try {
    const content = await opening
    return inMemory(content) ? content : translated(content)
  } catch (error) {
    throw unavailable(error)
  }
}

/** Faults met while reading get the same name as those met when opening. */
async function* translated(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  try {
    yield* chunks
  } catch (error) {
    throw unavailable(error)
  }
}

function unavailable(error: unknown): unknown {
  const known = error instanceof MaildirFault || errorCode(error) !== undefined
  return known ? new MessageUnavailable('the message cannot be read', { cause: error }) : error
}
