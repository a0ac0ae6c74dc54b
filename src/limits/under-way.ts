/**
 * Logins that nobody knows the end of yet, by who they are counted for. Each counts as if it had
 * failed, or many guesses at once would all be the first one.
 */
import { setImmediate as turn } from 'node:timers/promises'

export class UnderWay {
  /** Those that ask whether there is room for them. */
  readonly #asking = new Map<string, number>()
  /** Those that are being judged. */
  readonly #judged = new Map<string, number>()
  /** Who waits until one of them has ended. Each is a connection, so their limit is its limit. */
  #waiting: (() => void)[] = []

  /** One more asks. @returns how many there are now, by group */
  ask(groups: readonly string[]): ReadonlyMap<string, number> {
    return new Map(
      groups.map((group) => [group, add(this.#asking, group, 1) + (this.#judged.get(group) ?? 0)]),
    )
  }

  /** There is room: it is judged from now on. */
  begin(groups: readonly string[]): void {
    this.giveUp(groups)
    for (const group of groups) add(this.#judged, group, 1)
  }

  /** There is none. */
  giveUp(groups: readonly string[]): void {
    for (const group of groups) add(this.#asking, group, -1)
  }

  end(groups: readonly string[]): void {
    for (const group of groups) add(this.#judged, group, -1)
    const waiting = this.#waiting
    this.#waiting = []
    for (const goOn of waiting) goOn()
  }

  /** Resolves when one was judged; soon, if none of that group is. */
  async change(group: string): Promise<void> {
    if (!this.#judged.has(group)) await turn()
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
  }
}

function add(counts: Map<string, number>, group: string, more: 1 | -1): number {
  const count = (counts.get(group) ?? 0) + more
  if (count > 0) counts.set(group, count)
  else counts.delete(group)
  return count
}
