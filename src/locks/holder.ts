/** What the holder of a lock is to those who want it: at work or idle, and where to tell it of its loss. */
import { monotonicMs } from '../process/clock.js'

export class Holder {
  #touched = monotonicMs()
  #over = false
  #lost = false
  #tell: () => void = () => {}

  /** True once the lock was lost or given back. */
  get over(): boolean {
    return this.#over
  }

  get idleMs(): number {
    return monotonicMs() - this.#touched
  }

  touch(): void {
    this.#touched = monotonicMs()
  }

  onLost(callback: () => void): void {
    if (this.#lost) callback()
    else this.#tell = callback
  }

  /** Somebody else has the lock. */
  lose(): void {
    if (!this.end()) return
    this.#lost = true
    this.#tell()
  }

  /** @returns false if it was over before */
  end(): boolean {
    const first = !this.#over
    this.#over = true
    return first
  }
}
