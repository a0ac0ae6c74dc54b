/**
 * Empties the trash of all mailboxes by age, one mailbox after another, slowly
 * and in the background.
 */
import type { Dirent } from 'node:fs'
import { opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { sweepTrash } from '../../maildir/maildir.js'
import { type Log, reason } from '../log/log.js'

/** Between two mailboxes: twenty a second at most. */
const STEP_MS = 50
/** Between two rounds. */
const ROUND_MS = 60 * 60 * 1000

export interface TrashOptions {
  /** Directories of the domains: the mailboxes are in them. */
  roots(): Iterable<string>
  /** Milliseconds that deleted mail is kept; `null` = nothing is swept. Asked each time. */
  keptMs(): number | null
  readonly log: Log
}

export class TrashSweeper {
  readonly #options: TrashOptions
  #stopped = false
  #wake: () => void = () => {}
  #running: Promise<void> = Promise.resolve()

  constructor(options: TrashOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    this.#stopped = false
    this.#running = this.#run()
  }

  /** Resolves when nothing is removed any more. */
  async stop(): Promise<void> {
    this.#stopped = true
    this.#wake()
    await this.#running
  }

  /** One round. Never throws: what cannot be emptied now is told of, and tried again. */
  async sweep(): Promise<void> {
    for (const root of this.#options.roots()) {
      try {
        await this.#domain(root)
      } catch (error) {
        this.#options.log.warn('trash not emptied', { domain: root, reason: reason(error) })
      }
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      await this.sweep()
      await this.#pause(ROUND_MS)
    }
  }

  async #domain(root: string): Promise<void> {
    for await (const entry of await opendir(root)) {
      if (this.#stopped) return
      if (isMailbox(entry)) await this.#mailbox(join(root, entry.name))
    }
  }

  async #mailbox(maildir: string): Promise<void> {
    try {
      for (;;) {
        const keptMs = this.#options.keptMs()
        if (keptMs === null || (await sweepTrash(maildir, Date.now() - keptMs)) === 0) break
        await this.#pause(STEP_MS)
      }
    } catch (error) {
      this.#options.log.warn('trash not emptied', { mailbox: maildir, reason: reason(error) })
    }
    await this.#pause(STEP_MS)
  }

  async #pause(ms: number): Promise<void> {
    if (this.#stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms).unref()
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}

/** What starts with a dot is not a mailbox. */
function isMailbox(entry: Dirent): boolean {
  return entry.isDirectory() && !entry.name.startsWith('.')
}
