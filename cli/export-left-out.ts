/** The messages that an export could not take: each is told of, and all are counted. */
import { reason } from '../src/log/log.js'
import { warn } from './terminal.js'

/** Lines that are printed; more help nobody. */
const MAX_LINES = 1_000

export class LeftOut {
  #count = 0

  get count(): number {
    return this.#count
  }

  /** @param name of the message @param why an error, or words */
  add(name: string, why: unknown): void {
    this.#count++
    const what = typeof why === 'string' ? why : reason(why).replace(/\s+/g, ' ')
    if (this.#count <= MAX_LINES) warn(`${name} is left out: ${what}`)
  }
}
