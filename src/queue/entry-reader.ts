/** Reads the envelope of a message that waits, and deals with what is wrong with it: the rest of the spool runs on. */
import { type Log, reason } from '../log/log.js'
import type { QueueItem } from './item.js'
import type { Entry } from './entry.js'
import type { Ledger } from './ledger.js'
import type { SpoolFiles } from './spool-files.js'
import { isDone } from './ways.js'

export class EntryReader {
  readonly #files: SpoolFiles
  readonly #ledger: Ledger
  readonly #log: Log

  constructor(files: SpoolFiles, ledger: Ledger, log: Log) {
    this.#files = files
    this.#ledger = ledger
    this.#log = log
  }

  /**
   * In the message's turn.
   * @returns `null` = it is no message that we can send: gone, broken, or a later version's
   * @throws what the disk says
   */
  async read(entry: Entry): Promise<QueueItem | null> {
    if (entry.item !== null) return entry.item
    if (entry.state === 'newer') return null
    const reading = await this.#files.read(entry.shard, entry.id)
    switch (reading.kind) {
      case 'item':
        return reading.item
      case 'gone':
        this.#log.warn('queue file gone', { id: entry.id })
        this.#ledger.forget(entry)
        return null
      case 'newer':
        return this.#leave(entry)
      case 'broken':
      default:
        await this.#putAside(entry, reading.why)
        return null
    }
  }

  /** Learns what can be known of it. In the message's turn. @returns false = it cannot be read now */
  async look(entry: Entry): Promise<boolean> {
    try {
      const item = this.#ledger.get(entry.id) === entry ? await this.read(entry) : null
      if (item === null) return true
      if (isDone(item)) await this.#finish(entry)
      else this.#ledger.learn(entry, item)
      return true
    } catch (error) {
      this.#log.error('queue cannot read', { id: entry.id, reason: reason(error) })
      return false
    }
  }

  /**
   * Nothing is broken about an envelope of a later version, and that version may be back after
   * somebody has tried this one: its mail waits where it is, and nobody has to bring it back from
   * among the broken files.
   */
  #leave(entry: Entry): null {
    this.#ledger.leave(entry)
    this.#log.warn('queue file of a later version', { id: entry.id })
    return null
  }

  async #putAside(entry: Entry, why: string): Promise<void> {
    this.#ledger.forget(entry)
    try {
      const path = await this.#files.putAside(entry.shard, entry.id)
      this.#log.error('queue file broken', { id: entry.id, reason: why, path })
    } catch (error) {
      // The next start finds it where it is.
      this.#log.error('queue file stays', { id: entry.id, reason: `${why}; ${reason(error)}` })
    }
  }

  async #finish(entry: Entry): Promise<void> {
    await this.#files.remove(entry.shard, entry.id)
    this.#ledger.forget(entry)
  }
}
