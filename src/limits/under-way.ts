/**
 * Logins that are being judged, by who they are counted for: as long as nobody knows how they end
 * each is counted as if it had failed, or many guesses at once would all be the first one.
 */

export class UnderWay {
  readonly #counts = new Map<string, number>()
  /** Who waits until one of them has ended. Each is a connection, so their limit is its limit. */
  #waiting: (() => void)[] = []

  /** One more. @returns how many there are now, by group */
  begin(groups: readonly string[]): ReadonlyMap<string, number> {
    return new Map(
      groups.map((group) => {
        const count = (this.#counts.get(group) ?? 0) + 1
        this.#counts.set(group, count)
        return [group, count]
      }),
    )
  }

  /** One less. */
  end(groups: readonly string[]): void {
    for (const group of groups) {
      const count = (this.#counts.get(group) ?? 0) - 1
      if (count > 0) this.#counts.set(group, count)
      else this.#counts.delete(group)
    }
    const waiting = this.#waiting
    this.#waiting = []
    for (const goOn of waiting) goOn()
  }

  /** Resolves when some login has ended; at once if none of that group is under way. */
  async change(group: string): Promise<void> {
    if (this.#counts.has(group)) await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}
