/** A live aliases file: looked at again after a change; a broken one keeps the last good copy. */
import { stat } from 'node:fs/promises'
import { reason, type Log } from '../log/log.js'
import { parseAliases, type Aliases } from './aliases.js'
import { errorCode } from './error-code.js'
import { readSmallFile, stampOf } from './small-file.js'

/** Bytes; about 200,000 aliases. */
const MAX_ALIASES_FILE = 8_388_608
/** Milliseconds that may pass until a change is seen: many recipients a second share one look. */
const CHECK_EVERY = 500
/**
 * Milliseconds that a file must stay as it is before it takes names away. An
 * editor and `cp` leave it short, empty or missing for a moment; an alias that
 * is unknown in that moment would bounce mail for good.
 */
const SHORTER_FOR = 500
const GONE_FOR = 10_000
const NO_ALIASES: Aliases = new Map()

export class AliasFile {
  readonly path: string
  readonly #log: Log
  readonly #now: () => number
  /** The last good copy; `null` if there never was one. */
  #aliases: Aliases | null = null
  /** What the file looked like when it was last read. */
  #seen = ''
  /** What was logged last, so that it is not logged twice a second. */
  #complaint = ''
  #checkedAt = -Infinity
  /** Octets of the last good copy. */
  #size = 0
  /** A state that takes names away, and since when it is seen. */
  #doubtful = { stamp: '', since: 0 }
  /** How often somebody asked for a fresh look. */
  #expiries = 0
  #checking: Promise<Aliases | null> | null = null

  /** @param now milliseconds of a clock that never goes back */
  constructor(path: string, log: Log, now: () => number) {
    this.path = path
    this.#log = log
    this.#now = now
  }

  /** `null` if the file is broken and never was good. No promise (and no system call) while it was seen just now. */
  current(): Aliases | null | Promise<Aliases | null> {
    if (this.#now() - this.#checkedAt < CHECK_EVERY) return this.#aliases
    this.#checking ??= this.#check()
    return this.#checking
  }

  /** The next look is a fresh one, however short ago the last was. */
  expire(): void {
    this.#expiries++
    this.#checkedAt = -Infinity
    // Whoever asks for a fresh look means what the file says now.
    this.#size = 0
  }

  /** Reads the file now. @throws AliasesError, or what the system says; a missing file has no aliases */
  async read(): Promise<Aliases> {
    return (await this.#parse()).aliases
  }

  async #check(): Promise<Aliases | null> {
    const started = this.#now()
    const expiries = this.#expiries
    try {
      await this.#refresh()
    } finally {
      // A look that began before the expiry does not count as fresh.
      if (expiries === this.#expiries) this.#checkedAt = started
      this.#checking = null
    }
    return this.#aliases
  }

  /** Every state of the file is judged once. */
  async #refresh(): Promise<void> {
    const { stamp, size } = await this.#look()
    if (stamp === this.#seen || this.#doubts(stamp, size)) return
    this.#seen = stamp
    try {
      const { aliases, stamp: read } = await this.#parse()
      this.#aliases = aliases
      this.#size = size
      // What was read may be newer than what was looked at.
      this.#seen = read
      this.#complaint = ''
    } catch (error) {
      // Too many open files, say, may pass although the file stays as it is.
      if (errorCode(error) !== undefined) this.#seen = ''
      this.#complain(reason(error))
    }
  }

  #complain(complaint: string): void {
    if (complaint === this.#complaint) return
    this.#complaint = complaint
    const kept = this.#aliases !== null
    this.#log.error('aliases broken', { file: this.path, reason: complaint, kept })
  }

  /** True while the file is shorter than the good copy and has not been so for long enough. */
  #doubts(stamp: string, size: number): boolean {
    if (size >= this.#size) return false
    if (this.#doubtful.stamp !== stamp) this.#doubtful = { stamp, since: this.#now() }
    const patience = size === 0 ? GONE_FOR : SHORTER_FOR
    return this.#now() - this.#doubtful.since < patience
  }

  async #look(): Promise<{ stamp: string; size: number }> {
    try {
      const stats = await stat(this.path, { bigint: true })
      return { stamp: stampOf(stats), size: Number(stats.size) }
    } catch (error) {
      return { stamp: errorCode(error) ?? 'unknown', size: 0 }
    }
  }

  async #parse(): Promise<{ aliases: Aliases; stamp: string }> {
    try {
      // A link is fine here: the path comes from the administrator's own config.
      const options = { limit: MAX_ALIASES_FILE, followLink: true }
      const { text, stamp } = await readSmallFile(this.path, options)
      return { aliases: parseAliases(text, this.path), stamp }
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return { aliases: NO_ALIASES, stamp: 'ENOENT' }
      throw error
    }
  }
}
