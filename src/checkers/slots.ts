/**
 * How many password checks run at once. argon2 takes memory, and threads that
 * the file system needs as well: more at once would not be faster, only hungrier.
 * Those who wait take turns by where they come from, so that somebody with many
 * guesses waits for his own, and others do not.
 */
import { LoginUnavailable } from '../cred/errors.js'

export interface SlotLimits {
  /** Checks at once; below the size of libuv's thread pool (4). */
  readonly running: number
  /** Checks that wait for their turn. */
  readonly waiting: number
  /** Milliseconds that one waits at most. */
  readonly patience: number
}

/** At 50 ms each, 200 waiting checks take 5 seconds. */
const LIMITS: SlotLimits = { running: 2, waiting: 200, patience: 20_000 }

/** One check that waits. */
interface Waiter {
  readonly take: () => void
  readonly giveUp: () => void
}

export class Slots {
  readonly #limits: SlotLimits
  #running = 0
  #waiting = 0
  /** By where they come from; whose turn it is comes first. None is empty. */
  readonly #queues = new Map<string, Waiter[]>()

  constructor(limits: SlotLimits = LIMITS) {
    this.#limits = limits
  }

  /**
   * Runs a check when a slot is free.
   * @param from whoever has the same takes turns as one
   * @throws LoginUnavailable when too many wait, or this one waited too long
   */
  async run<T>(check: () => Promise<T>, from = ''): Promise<T> {
    if (this.#running >= this.#limits.running) await this.#wait(from)
    else this.#running++
    try {
      return await check()
    } finally {
      this.#pass()
    }
  }

  /** Resolves with a slot that somebody else passed on. */
  #wait(from: string): Promise<void> {
    if (this.#waiting >= this.#limits.waiting) this.#makeRoom(from)
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        clearTimeout(timer)
        this.#remove(from, waiter)
      }
      const take = (): void => {
        leave()
        resolve()
      }
      const giveUp = (): void => {
        leave()
        reject(tooMany())
      }
      const waiter: Waiter = { take, giveUp }
      const timer = setTimeout(giveUp, this.#limits.patience)
      this.#add(from, waiter)
    })
  }

  /**
   * Whoever holds the most places loses the last one to somebody who holds at least two less.
   * @throws LoginUnavailable if nobody does
   */
  #makeRoom(from: string): void {
    const own = this.#queues.get(from)?.length ?? 0
    const [longest = []] = [...this.#queues.values()].toSorted((a, b) => b.length - a.length)
    if (longest.length < own + 2) throw tooMany()
    longest.at(-1)!.giveUp()
  }

  #add(from: string, waiter: Waiter): void {
    const queue = this.#queues.get(from)
    if (queue === undefined) this.#queues.set(from, [waiter])
    else queue.push(waiter)
    this.#waiting++
  }

  #remove(from: string, waiter: Waiter): void {
    const queue = this.#queues.get(from) ?? []
    queue.splice(queue.indexOf(waiter), 1)
    if (queue.length === 0) this.#queues.delete(from)
    this.#waiting--
  }

  /** The slot stays taken when it goes to the next one, so nobody can slip in between. */
  #pass(): void {
    const [next] = this.#queues
    if (next === undefined) {
      this.#running--
      return
    }
    const [from, queue] = next
    queue[0]!.take()
    if (queue.length === 0) return
    // To the end: the others come first now.
    this.#queues.delete(from)
    this.#queues.set(from, queue)
  }
}

function tooMany(): LoginUnavailable {
  return new LoginUnavailable('too many logins at once')
}
