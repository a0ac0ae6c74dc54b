/**
 * A directory in which the addresses that SRS makes are aliases: a report about mail that was
 * forwarded comes back to such an address, and goes on to whoever sent that mail.
 */
import type { Address } from '../mail/address.js'
import { isSrs, reverse, SrsError } from '../mail/srs.js'
import type { Directory, Share, Target, User } from './directory.js'

export interface SrsOptions {
  /** What the addresses were made with. */
  readonly secret: Buffer
  /** Asked each time: without a relay nothing was forwarded, and such an address is like any other. */
  readonly enabled: () => boolean
  /** Milliseconds since 1970; the system's clock unless a test brings its own. */
  readonly now?: () => number
}

export class SrsDirectory implements Directory {
  readonly #directory: Directory
  readonly #options: SrsOptions

  constructor(directory: Directory, options: SrsOptions) {
    this.#directory = directory
    this.#options = options
  }

  async resolve(address: Address): Promise<readonly Target[]> {
    const sender = await this.#sender(address)
    if (sender === null) return this.#directory.resolve(address)
    // One within another gets shorter each time.
    if (await this.#directory.owns(sender.domain)) return this.resolve(sender)
    return [{ kind: 'remote', address: sender, of: address }]
  }

  owns(domain: string): Promise<boolean> {
    return this.#directory.owns(domain)
  }

  user(address: Address): Promise<User | null> {
    return this.#directory.user(address)
  }

  qualify(login: string): Address | null {
    return this.#directory.qualify(login)
  }

  secrets(): Share {
    return this.#directory.secrets()
  }

  scram(): Share {
    return this.#directory.scram()
  }

  /** @returns `null` if the address is none that was made here, or too old: then it is like any other */
  async #sender(address: Address): Promise<Address | null> {
    const { secret, enabled, now = Date.now } = this.#options
    if (!isSrs(address) || !enabled() || !(await this.#directory.owns(address.domain))) return null
    try {
      return reverse(address, secret, now())
    } catch (error) {
      if (error instanceof SrsError) return null
      throw error
    }
  }
}
