/**
 * The messages on a disk whose spool nobody has opened, for looking at them: nothing is made,
 * moved or removed, so it does no harm if a server starts meanwhile.
 */
import type { Message } from '../mail/message.js'
import type { WaitingMessage } from './desk.js'
import { codeOf } from './disk-failure.js'
import type { QueueItem } from './item.js'
import { SHARDS, Shards } from './shards.js'
import { SpoolFiles } from './spool-files.js'
import type { QueueSource } from './views.js'

export class DiskSource implements QueueSource {
  readonly #files: SpoolFiles
  /** By id: the directory that it is in. */
  readonly #shards: ReadonlyMap<string, number>

  private constructor(files: SpoolFiles, shards: ReadonlyMap<string, number>) {
    this.#files = files
    this.#shards = shards
  }

  /**
   * Reads the names of all that waits.
   * @param directory of the spool; if it is not there, nothing waits
   * @throws what the disk says
   */
  static async read(directory: string): Promise<DiskSource> {
    const files = new SpoolFiles(new Shards(directory))
    const shards = new Map<string, number>()
    for (let shard = 0; shard < SHARDS; shard++) {
      for (const id of await idsIn(files.shards, shard)) shards.set(id, shard)
    }
    return new DiskSource(files, shards)
  }

  async ids(): Promise<readonly string[]> {
    return [...this.#shards.keys()]
  }

  /** What is broken or of a later version is left for the server to deal with. */
  async look(id: string): Promise<WaitingMessage | null> {
    const shard = this.#shards.get(id)
    const reading = shard === undefined ? null : await this.#files.read(shard, id)
    return reading?.kind === 'item' ? { item: reading.item, active: false } : null
  }

  async message(item: QueueItem): Promise<Message> {
    const shard = this.#shards.get(item.id)
    if (shard === undefined) throw new Error(`no message ${item.id} waits`)
    return this.#files.message(shard, item)
  }
}

async function idsIn(shards: Shards, shard: number): Promise<readonly string[]> {
  try {
    return (await shards.held(shard)).ids
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}
