/**
 * Clears away what a crash left in a spool: drafts, and bodies without an envelope. Nobody was
 * told that such a message is here. What was there at the start is looked at again an hour later,
 * and goes if it is still the same and older than that: a mistake would cost a message.
 */
import { lstat, unlink } from 'node:fs/promises'
import { type Log, reason } from '../log/log.js'
import type { Remainder } from './shards.js'

const HOUR_MS = 60 * 60_000
/** So many are remembered; the next start finds the others. */
const MAX_REMEMBERED = 10_000

/** A file that is a part of no message. */
export interface Leftover extends Remainder {
  readonly shard: number
  readonly directory: string
}

export class Leftovers {
  readonly #all: Leftover[] = []
  readonly #log: Log
  #timer: NodeJS.Timeout | null = null

  constructor(log: Log) {
    this.#log = log
  }

  note(one: Leftover): void {
    if (this.#all.length < MAX_REMEMBERED) this.#all.push(one)
  }

  /** @param inUse asked of each an hour later */
  clearLater(inUse: (one: Leftover) => boolean): void {
    if (this.#all.length === 0) return
    this.#log.info('queue leftovers', { count: this.#all.length })
    this.#timer = setTimeout(() => void this.clear(inUse), HOUR_MS)
    this.#timer.unref()
  }

  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
  }

  /** Removes those that are old and that nobody uses. Does not throw. */
  async clear(inUse: (one: Leftover) => boolean): Promise<void> {
    for (const one of this.#all.splice(0)) {
      const path = `${one.directory}/${one.name}`
      try {
        const { mtimeMs } = await lstat(path)
        if (Date.now() - mtimeMs > HOUR_MS && !inUse(one)) await unlink(path)
      } catch (error) {
        this.#log.debug('queue leftover stays', { path, reason: reason(error) })
      }
    }
  }
}
