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
import type { GreylistMemory } from './greylist-memory.js'
import { networkOfStranger, strangerAddress } from './origin.js'

export interface GreylistSettings {
  /** Seconds that mail must wait. */
  readonly delay: number
  /** Mails that came again, until a network need not wait any more. */
  readonly trustAfter: number
}

/** Octets of a key: enough that no two are alike, and that the file tells nobody who writes to whom. */
const KEY_OCTETS = 15

export class GreylistFilter implements Filter {
  readonly name = 'greylist'
  readonly #settings: GreylistSettings
  readonly #memory: GreylistMemory

  constructor(settings: GreylistSettings, memory: GreylistMemory) {
    this.#settings = settings
    this.#memory = memory
  }

  async recipient({ client, from }: Opening, to: Address): Promise<void> {
    const address = strangerAddress(client)
    if (address === null || isExempt(to)) return
    const network = networkOfStranger(address)
    const path = from === null ? '' : identity(from)
    await this.#memory.ready()
    const seconds = this.#wait(key(network), key(network, path, identity(to)))
    if (seconds > 0) throw greylisted(seconds)
  }

  /** Seconds that are left; 0 = welcome. */
  #wait(network: string, triplet: string): number {
    const memory = this.#memory
    const { delay, trustAfter } = this.#settings
    const { passes } = memory.find(network) ?? { passes: 0 }
    if (passes >= trustAfter) {
      memory.passed(network)
      return 0
    }
    const first = memory.find(triplet)
    // A memory that is full of mail which waits must not keep everybody out.
    if (first === null) return memory.begin(triplet) ? delay : 0
    const left = first.passes > 0 ? 0 : delay - first.age
    if (left > 0) return left
    if (first.passes === 0) memory.passed(network)
    memory.passed(triplet)
    return 0
  }
}

function key(...parts: readonly string[]): string {
  const digest = createHash('sha256').update(parts.join('\0')).digest()
  return digest.subarray(0, KEY_OCTETS).toString('base64url')
}
