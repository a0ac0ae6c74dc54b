/** The store on a local disk: a Maildir per user. The only file that imports maildir/. */
import {
  create,
  Delivery,
  type Entry,
  errorCode,
  list,
  type Listing,
  MaildirFault,
  read,
  remove,
} from '../../maildir/maildir.js'
import type { Address } from '../mail/address.js'
import {
  type Mailbox,
  MessageUnavailable,
  RemovalIncomplete,
  type StoredMessage,
} from '../mail/mailbox.js'
import { type Bytes, inMemory, type Message } from '../mail/message.js'
import { mailboxBroken, noSpace, Refusal, tryLater } from '../mail/refusal.js'
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
  /** Told after each message that is safe on the disk, with its file. Must not throw. */
  onDelivered?(user: Address, path: string): void
}

export class Maildirs implements Store {
  readonly #options: MaildirsOptions
  readonly #delivery: Delivery
  readonly #room: Room

  constructor(options: MaildirsOptions) {
    this.#options = options
    this.#delivery = new Delivery(options.host)
    this.#room = new Room(() => options.roots(), options.reserveBytes)
  }

  /** @throws NotAMaildir or the system's error: a login that fails for a while, no more */
  async open(user: Address): Promise<Mailbox> {
    return new MaildirMailbox(await listOrCreate(this.#home(user)))
  }

  async append(user: Address, message: Message): Promise<void> {
    const path = await this.#deliver(this.#home(user), message)
    this.#options.onDelivered?.(user, path)
  }

  checkRoom(size: number | null): Promise<void> {
    return this.#room.check(size)
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
function refusalFor(error: unknown): unknown {
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

class MaildirMailbox implements Mailbox {
  readonly messages: readonly StoredMessage[]
  readonly #listing: Listing
  readonly #byUid: ReadonlyMap<string, Entry>

  constructor(listing: Listing) {
    this.#listing = listing
    this.messages = listing.entries
    this.#byUid = new Map(listing.entries.map((entry) => [entry.uid, entry]))
  }

  async open(message: StoredMessage): Promise<Bytes> {
    try {
      const content = await read(this.#listing, this.#entry(message))
      return inMemory(content) ? content : translated(content)
    } catch (error) {
      throw unavailable(error)
    }
  }

  async remove(messages: Iterable<StoredMessage>): Promise<void> {
    const entries = Array.from(messages, (message) => this.#entry(message))
    const { left, cause } = await this.#remove(entries)
    if (left > 0) throw new RemovalIncomplete(left, { cause })
  }

  async #remove(entries: readonly Entry[]): Promise<{ left: number; cause?: unknown }> {
    try {
      return await remove(this.#listing, entries)
    } catch (error) {
      // Without the fsync any of them may come back.
      throw new RemovalIncomplete(entries.length, { cause: error })
    }
  }

  #entry(message: StoredMessage): Entry {
    const entry = this.#byUid.get(message.uid)
    if (entry === undefined) throw new MessageUnavailable('no message of this mailbox')
    return entry
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
