/** One expensive step for many who wait for it, such as a directory's fsync for all who linked into it. */

interface Round {
  readonly done: Promise<void>
  resolve(): void
  reject(error: unknown): void
}

/** What goes on for one key: the round that runs, and the one that gathers those who came too late for it. */
interface Progress {
  running: Round
  next: Round | null
}

/**
 * Runs a step per key so that every caller is served by a run that started
 * after its call, never by one that was already under way.
 */
export class GroupCommit {
  readonly #step: (key: string) => Promise<void>
  readonly #progress = new Map<string, Progress>()

  constructor(step: (key: string) => Promise<void>) {
    this.#step = step
  }

  /**
   * Resolves when a step that started after this call has succeeded.
   * @throws what the step threw, also that of the run before: after a failed
   *   fsync the kernel holds clean what it could not write, and the next one
   *   would "succeed" for those who already waited.
   */
  commit(key: string): Promise<void> {
    const progress = this.#progress.get(key)
    if (progress === undefined) {
      const first = newRound()
      void this.#run(key, { running: first, next: null })
      return first.done
    }
    progress.next ??= newRound()
    return progress.next.done
  }

  async #run(key: string, progress: Progress): Promise<void> {
    this.#progress.set(key, progress)
    try {
      await this.#step(key)
    } catch (error) {
      return this.#fail(key, progress, error)
    }
    progress.running.resolve()
    if (progress.next === null) this.#progress.delete(key)
    else void this.#run(key, { running: progress.next, next: null })
  }

  #fail(key: string, progress: Progress, error: unknown): void {
    this.#progress.delete(key)
    progress.running.reject(error)
    progress.next?.reject(error)
  }
}

function newRound(): Round {
  let resolve!: () => void
  let reject!: (error: unknown) => void
  const done = new Promise<void>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { done, resolve, reject }
}
