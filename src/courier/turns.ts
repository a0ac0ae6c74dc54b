/** Lets the deliveries of this process to one file come one after the other. */
import { tryLater } from '../mail/refusal.js'

/** Deliveries that wait for one file. */
const MAX_WAITING = 100

interface Line {
  last: Promise<unknown>
  length: number
}

export class Turns {
  readonly #lines = new Map<string, Line>()

  /** Does the work when it is its turn. @throws Refusal when too many wait, or what the work throws */
  async take<T>(file: string, work: () => Promise<T>): Promise<T> {
    const line = this.#lines.get(file) ?? { last: Promise.resolve(), length: 0 }
    if (line.length >= MAX_WAITING)
      throw tryLater(new Error(`too many deliveries wait for ${file}`))
    this.#lines.set(file, line)
    line.length++
    const turn = line.last.then(work, work)
    // What went wrong before is no concern of the next.
    line.last = turn.catch(() => {})
    try {
      return await turn
    } finally {
      line.length--
      if (line.length === 0) this.#lines.delete(file)
    }
  }
}
