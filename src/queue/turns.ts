/** One at a time for each key: who comes later waits for those before. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>()

  /** @throws what the work throws; those behind it go on */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const mine = before === undefined ? work() : before.then(work, work)
    this.#last.set(key, mine)
    try {
      return await mine
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key)
    }
  }
}
