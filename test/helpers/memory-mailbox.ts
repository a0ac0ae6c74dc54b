/** A mailbox in memory, with accidents on demand: for tests of what stands in front of mailboxes. */
import {
  type Mailbox,
  MessageUnavailable,
  RemovalIncomplete,
  type StoredMessage,
} from '../../src/mail/mailbox.js'
import type { Bytes } from '../../src/mail/message.js'

export interface MemoryMessage extends StoredMessage {
  readonly content: Buffer
}

/** What is kept between logins. */
export class MemoryStore {
  readonly messages: MemoryMessage[] = []
  /** uids of messages that cannot be read, or not removed. */
  readonly unreadable = new Set<string>()
  readonly immovable = new Set<string>()
  /** uids of messages whose content ends in a read error. */
  readonly torn = new Set<string>()
  /** Chunks of so many octets, one at a time; 0: all at once. */
  chunkSize = 0
  /** Chunks that anybody asked for. */
  reads = 0

  add(uid: string, content: Buffer): void {
    this.messages.push({ uid, size: content.length, content })
  }

  open(): Mailbox {
    const messages = [...this.messages]
    return {
      messages,
      open: async (message) => this.#content(message),
      remove: async (wanted) => this.#remove(wanted),
    }
  }

  #content({ uid }: StoredMessage): Bytes {
    const message = this.messages.find((one) => one.uid === uid)
    if (message === undefined || this.unreadable.has(uid)) throw new MessageUnavailable(uid)
    return this.chunkSize === 0 ? [message.content] : this.#chunks(message)
  }

  async *#chunks({ uid, content }: MemoryMessage): AsyncGenerator<Buffer> {
    for (let at = 0; at < content.length; at += this.chunkSize) {
      this.reads++
      yield content.subarray(at, at + this.chunkSize)
      if (this.torn.has(uid)) throw new Error('read error')
    }
  }

  #remove(wanted: Iterable<StoredMessage>): void {
    let left = 0
    for (const { uid } of wanted) {
      const at = this.messages.findIndex((message) => message.uid === uid)
      if (this.immovable.has(uid)) left++
      else if (at !== -1) this.messages.splice(at, 1)
    }
    if (left > 0) throw new RemovalIncomplete(left)
  }
}
