/**
 * One look for all who want to know the same at the same time. Whoever comes while it goes on may
 * use a "there is" that is a moment older than his question, but never a "there is not": what was
 * made before he asked must be found.
 */
export class SharedLooks<T> {
  /** By what is looked for. */
  readonly #underWay = new Map<string, Promise<T | null>>()

  /** @param work finds it; `null` = it is not there. What it throws is thrown to whoever began it */
  async look(key: string, work: () => Promise<T | null>): Promise<T | null> {
    const other = this.#underWay.get(key)
    if (other === undefined) return this.#begin(key, work)
    const found = await other.catch(() => null)
    return found ?? work()
  }

  async #begin(key: string, work: () => Promise<T | null>): Promise<T | null> {
    const mine = work()
    this.#underWay.set(key, mine)
    try {
      return await mine
    } finally {
      this.#underWay.delete(key)
    }
  }
}
