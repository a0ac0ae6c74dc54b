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
/** What the kernel says of this process (proc(5)). */
const LIMITS = '/proc/self/limits'
const SHORTAGE = ['EMFILE', 'ENFILE']

export class Descriptors {
  /** From this number on they are kept. */
  readonly #mark: number

  /** @param limit how many there are; what the system says unless a test brings its own */
  constructor(limit: number = systemLimit()) {
    this.#mark = limit - Math.min(RESERVE, Math.ceil(limit * MAX_RESERVED_PART))
  }

  /** True if only the reserve is left. The system gives out the lowest free number, so one look is enough. */
  short(): boolean {
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
