/** Something that runs: what a listener, a group of them and the whole server have in common. */

export interface Service {
  /** Resolves when it works. Throws, with nothing left running, when it cannot. */
  start(): Promise<void>
  /** Finishes what runs, within a limit, and resolves when nothing is left. Safe to call twice. */
  stop(): Promise<void>
  /** Takes up changed files and settings without dropping anything. Throws, changing nothing, when they are bad. */
  reload?(): Promise<void>
}
