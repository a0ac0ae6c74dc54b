/** A mailbox that is a Maildir: its messages as they were at the login. */
import {
  create,
  type Entry,
  errorCode,
  list,
  type Listing,
  MaildirFault,
  read,
  remove,
} from '../../maildir/maildir.js'
import {
  type Mailbox,
  MessageUnavailable,
  type Pieces,
  RemovalIncomplete,
  type StoredMessage,
} from '../mail/mailbox.js'
import { type Bytes, inMemory } from '../mail/message.js'

/** Makes the Maildir if there is none. @throws NotAMaildir or the system's error */
export async function listOrCreate(home: string): Promise<Listing> {
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

export class MaildirMailbox implements Mailbox {
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
