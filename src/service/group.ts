/** Services that start in order and stop in the opposite order, as one. */
import type { Service } from './service.js'

export class Group implements Service {
  readonly #members: readonly Service[]
  #running: Service[] = []

  constructor(members: readonly Service[]) {
    this.#members = members
  }

  /** All or none: when one cannot start, those before it are stopped again. */
  async start(): Promise<void> {
    for (const member of this.#members) {
      try {
        await member.start()
      } catch (error) {
        await this.stop()
        throw error
      }
      this.#running.push(member)
    }
  }

  async stop(): Promise<void> {
    const running = this.#running.toReversed()
    this.#running = []
    for (const member of running) await member.stop()
  }

  async reload(): Promise<void> {
    for (const member of this.#running) await member.reload?.()
  }
}
