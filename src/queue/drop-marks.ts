/**
 * What the server remembers of messages of the maildrop that it could not take, or could not remove:
 * when they are looked at again, and who has them already.
 */
import { type Address, identity } from '../mail/address.js'
import { MAX_LOOKED } from './drop-names.js'

/**
 * Messages that are remembered: all that one round can see. With fewer, those that were forgotten
 * would be tried again without any rest, and bring second copies to who has them.
 */
const MAX_MARKS = MAX_LOOKED
const NOBODY: ReadonlySet<string> = new Set()

interface Mark {
  readonly notBefore: number
  readonly done: ReadonlySet<string>
}

export class DropMarks {
  readonly #marks = new Map<string, Mark>()
  readonly #now: () => number

  /** @param now milliseconds of a clock that only goes forward */
  constructor(now: () => number) {
    this.#now = now
  }

  /** True unless it is to rest. */
  isDue(name: string): boolean {
    return (this.#marks.get(name)?.notBefore ?? 0) <= this.#now()
  }

  /** True if that recipient has the message: a second try brings no second copy. */
  has(name: string, to: Address): boolean {
    return (this.#marks.get(name)?.done ?? NOBODY).has(identity(to))
  }

  /** @param done who has it now, besides those of tries before */
  rest(name: string, milliseconds: number, done: readonly Address[]): void {
    const before = this.#marks.get(name)?.done ?? NOBODY
    this.#marks.delete(name)
    const [oldest] = this.#marks.keys()
    if (this.#marks.size >= MAX_MARKS && oldest !== undefined) this.#marks.delete(oldest)
    const all = new Set([...before, ...done.map(identity)])
    this.#marks.set(name, { notBefore: this.#now() + milliseconds, done: all })
  }

  forget(name: string): void {
    this.#marks.delete(name)
  }
}
