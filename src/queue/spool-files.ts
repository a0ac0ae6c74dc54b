/** The files of the messages that wait: what is done with them, and what is found in them. */
import { unlink } from 'node:fs/promises'
import { reason } from '../log/log.js'
import { fromBuffer, inMemory, type Message } from '../mail/message.js'
import { gather, messageIn, writeBody, WrongSize } from './body-file.js'
import { putAside } from './corrupt.js'
import { codeOf, StrangeFile } from './disk-failure.js'
import { DiskThreads } from './disk-threads.js'
import { BODY, DRAFT } from './disk-work.js'
import { formatEnvelope, MAX_ENVELOPE, parseEnvelope } from './envelope-file.js'
import type { QueueItem } from './item.js'
import { Misshapen } from './shape.js'
import type { Shards } from './shards.js'

/** Octets of a body that goes through memory as a whole. */
const MAX_SMALL = 128 * 1024
/** Reading waits behind no fsync. On a slow disk several writers wait side by side. */
const readers = new DiskThreads(1)
const writers = new DiskThreads(4)
/** What the system says of a link, or of what is no file, where a file should be. */
const NO_FILE = new Set(['ELOOP', 'ENXIO', 'EISDIR'])

/** What an envelope file says. */
export type Reading =
  | { readonly kind: 'item'; readonly item: QueueItem }
  /** A later version of mailtap wrote it. */
  | { readonly kind: 'newer' }
  /** There is none. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'broken'; readonly why: string }

/** Every method throws what the disk says. For one message, one after another. */
export class SpoolFiles {
  readonly shards: Shards

  constructor(shards: Shards) {
    this.shards = shards
  }

  /**
   * Durable when resolved; nothing is left when it throws.
   * @throws WrongSize, Misshapen, what the content throws
   */
  async add(shard: number, item: QueueItem, message: Message): Promise<void> {
    if (message.size !== item.size) throw new WrongSize('the message is not as long as its item')
    const envelope = formatEnvelope(item)
    const content = message.open()
    const place = { kind: 'add', directory: this.shards.path(shard), id: item.id } as const
    if (message.size > MAX_SMALL || !inMemory(content)) {
      await this.#write(this.#body(shard, item.id) + DRAFT, message.size, content)
      await writers.run({ ...place, bytes: own(envelope), body: null })
      return
    }
    const bytes = gather(content, message.size, envelope.length)
    envelope.copy(bytes, message.size)
    await writers.run({ ...place, bytes, body: message.size })
  }

  async rewrite(shard: number, item: QueueItem): Promise<void> {
    const bytes = own(formatEnvelope(item))
    const directory = this.shards.path(shard)
    await writers.run({ kind: 'rewrite', directory, id: item.id, bytes })
  }

  /** Durable some time later: see disk-work.ts. */
  async remove(shard: number, id: string): Promise<void> {
    await writers.run({ kind: 'remove', directory: this.shards.path(shard), id })
  }

  async read(shard: number, id: string): Promise<Reading> {
    const directory = this.shards.path(shard)
    try {
      const { bytes, body } = await readers.run({ kind: 'read', directory, id, max: MAX_ENVELOPE })
      return readingOf(id, bytes!, body!)
    } catch (error) {
      const code = codeOf(error)
      if (code === 'ENOENT') return { kind: 'gone' }
      const strange = error instanceof StrangeFile || (code !== null && NO_FILE.has(code))
      if (!strange) throw error
      return { kind: 'broken', why: reason(error) }
    }
  }

  /** @throws StrangeFile when it is not as it was written */
  async message(shard: number, { id, size, lines }: QueueItem): Promise<Message> {
    if (size > MAX_SMALL) return messageIn(this.#body(shard, id), size, lines)
    const directory = this.shards.path(shard)
    const { bytes } = await readers.run({ kind: 'body', directory, id, max: MAX_SMALL })
    if (bytes!.length !== size) throw new StrangeFile('the body is not as long as it was written')
    return fromBuffer(Buffer.from(bytes!.buffer, bytes!.byteOffset, size), lines)
  }

  /** @returns where it is now */
  putAside(shard: number, id: string): Promise<string> {
    return putAside(this.shards, shard, id)
  }

  #body(shard: number, id: string): string {
    return `${this.shards.path(shard)}/${id}${BODY}`
  }

  async #write(path: string, ...content: [number, ReturnType<Message['open']>]): Promise<void> {
    try {
      await writeBody(path, ...content)
    } catch (error) {
      // What it leaves is a draft: the error that led here is the one to tell.
      await unlink(path).catch(() => {})
      throw error
    }
  }
}

function readingOf(id: string, bytes: Uint8Array, body: number): Reading {
  try {
    const item = parseEnvelope(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length))
    if (item === null) return { kind: 'newer' }
    if (item.id !== id) return { kind: 'broken', why: 'it is the envelope of another message' }
    if (body === -1) return { kind: 'broken', why: 'there is no body' }
    if (body !== item.size) return { kind: 'broken', why: `the body has ${body} octets` }
    return { kind: 'item', item }
  } catch (error) {
    if (error instanceof Misshapen) return { kind: 'broken', why: error.message }
    throw error
  }
}

/** In memory of its own: what goes to a thread takes all the memory with it that it is a part of. */
function own(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
