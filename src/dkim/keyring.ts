/** Keeps the keys of domains at hand, so that not each message has them read anew. */
import { type DomainKey, readKeys, signingAt } from './key-files.js'

/** Milliseconds until files are looked at again: so late a new key is found, and a removed one gone. */
const FRESH_MS = 10_000
/** Folders whose keys are kept; beyond that all are read anew. */
const MAX_FOLDERS = 10_000

interface Kept {
  readonly readAt: number
  readonly keys: Promise<readonly DomainKey[]>
}

export class Keyring {
  readonly #now: () => number
  readonly #kept = new Map<string, Kept>()

  /** @param now milliseconds since 1970 */
  constructor(now: () => number) {
    this.#now = now
  }

  /** The keys that sign now, one of each algorithm. @throws KeyRefused, or the system's error */
  async signing(folder: string): Promise<readonly DomainKey[]> {
    return signingAt(await this.#read(folder), this.#now())
  }

  /** Messages at the same time share one reading. What failed is not kept. */
  #read(folder: string): Promise<readonly DomainKey[]> {
    const kept = this.#kept.get(folder)
    // A clock that was set back makes nothing fresh for longer.
    if (kept !== undefined && Math.abs(this.#now() - kept.readAt) < FRESH_MS) return kept.keys
    if (this.#kept.size >= MAX_FOLDERS) this.#kept.clear()
    const keys = readKeys(folder)
    this.#kept.set(folder, { readAt: this.#now(), keys })
    keys.catch(() => this.#kept.delete(folder))
    return keys
  }
}
