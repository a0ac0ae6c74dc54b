/** The places where mail for an address ends: gathered, each once, and told to an observer. */
import { formatAddress, type Address } from '../mail/address.js'
import { placeOf, type Target } from './directory.js'
import type { Observer, Rule } from './names.js'

export class Ends {
  readonly #observe: Observer
  readonly #targets = new Map<string, Target>()

  constructor(observe: Observer = () => {}) {
    this.#observe = observe
  }

  get size(): number {
    return this.#targets.size
  }

  get all(): readonly Target[] {
    return [...this.#targets.values()]
  }

  add(target: Target, depth: number, at: string | null = null): void {
    this.#targets.set(placeOf(target), target)
    this.#observe({ rule: 'target', depth, of: formatAddress(ownerOf(target)), at, target })
  }

  /** A step that is no end. */
  note(rule: Rule, of: Address | string, depth: number, at: string | null = null): void {
    const said = typeof of === 'string' ? of : formatAddress(of)
    this.#observe({ rule, depth, of: said, at, target: null })
  }
}

/** Whose target it is: the user, or the alias that names it. */
function ownerOf(target: Target): Address {
  if (target.kind === 'mailbox') return target.user
  return target.kind === 'lmtp' ? target.to : target.of
}
