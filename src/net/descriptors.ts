/**
 * Keeps some of the process's file descriptors for files: without any, mail of
 * clients that are served already could not be stored, and a new client could
 * not even be told so.
 */
import { closeSync, openSync, readFileSync } from 'node:fs'

/** Kept for files and for clients that are being turned away. */
const RESERVE = 256
/** Of a small limit no more than this part is kept. */
const MAX_RESERVED_PART = 0.5
/**
 * Of the reserve, the part that clients may take between two looks: what they open besides their
 * connections comes out of it, too.
 */
const BETWEEN_LOOKS = 1 / 16
/** What the kernel says of this process (proc(5)). */
const LIMITS = '/proc/self/limits'
const SHORTAGE = ['EMFILE', 'ENFILE']

export class Descriptors {
  /** From this number on they are kept. */
  readonly #mark: number
  /** Clients that come without a look, as long as there were enough at the last one. */
  readonly #unseen: number
  #left = 0

  /**
   * @param limit how many there are; what the system says unless a test brings its own
   * @param kept how many shall be kept
   */
  constructor(limit: number = systemLimit(), kept: number = RESERVE) {
    const reserve = Math.min(kept, Math.ceil(limit * MAX_RESERVED_PART))
    this.#mark = limit - reserve
    this.#unseen = Math.floor(reserve * BETWEEN_LOOKS)
  }

  /** True if only the reserve is left. Asked once for each client; while there are enough it looks at some of them only. */
  short(): boolean {
    if (this.#left > 0) {
      this.#left--
      return false
    }
    const short = this.#look()
    if (!short) this.#left = this.#unseen
    return short
  }

  /** The system gives out the lowest free number, so one look is enough. */
  #look(): boolean {
    try {
      const lowest = openSync('/dev/null', 'r')
      closeSync(lowest)
      return lowest >= this.#mark
    } catch (error) {
      return SHORTAGE.includes((error as NodeJS.ErrnoException).code ?? '')
    }
  }
}

/** Infinity where the system does not say: then only a real shortage counts. */
function systemLimit(): number {
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync(LIMITS, 'latin1')) ?? []
    return soft === undefined ? Infinity : Number(soft)
  } catch {
    return Infinity
  }
}
