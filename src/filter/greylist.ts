/**
 * Greylisting (RFC 6647): the first mail from a network, from one address to
 * another, has to come again after a while. Mail servers do, and are let in at
 * once when they did so a few times; most programs that send spam do not.
 */
import { createHash } from 'node:crypto'
import { type Address, identity } from '../mail/address.js'
import type { Opening } from '../mail/envelope.js'
import { greylisted } from '../mail/refusal.js'
import { isExempt } from './exempt.js'
import type { Filter } from './filter.js'
import { networkOfStranger, strangerAddress } from './origin.js'

export interface GreylistSettings {
  /** Seconds that mail must wait. */
  readonly delay: number
  /** Mails that came again, until a network need not wait any more. */
  readonly trustAfter: number
}

/** Whoever remembers who came before. */
export interface Greylist {
  /** Takes down that mail came. @returns seconds that it has to wait; 0 = welcome */
  wait(network: string, triplet: string, settings: GreylistSettings): Promise<number>
}

/** Octets of a key: enough that no two are alike, and that the file tells nobody who writes to whom. */
const KEY_OCTETS = 15

export class GreylistFilter implements Filter {
  readonly name = 'greylist'
  readonly #settings: GreylistSettings
  readonly #memory: Greylist

  constructor(settings: GreylistSettings, memory: Greylist) {
    this.#settings = settings
    this.#memory = memory
  }

  async recipient({ client, from }: Opening, to: Address): Promise<void> {
    const address = strangerAddress(client)
    if (address === null || isExempt(to)) return
    const network = networkOfStranger(address)
    const path = from === null ? '' : identity(from)
    const triplet = key(network, path, identity(to))
    const seconds = await this.#memory.wait(key(network), triplet, this.#settings)
    if (seconds > 0) throw greylisted(seconds)
  }
}

function key(...parts: readonly string[]): string {
  const digest = createHash('sha256').update(parts.join('\0')).digest()
  return digest.subarray(0, KEY_OCTETS).toString('base64url')
}
