/**
 * Follows an address to the mailboxes behind it: alias, user, postmaster and
 * abuse, catch-all, in this order, as Postfix does. An alias beats a user of
 * the same name; an alias that names itself means the user.
 */
import { foldLocal, formatAddress, identity, type Address } from '../mail/address.js'
import { mailboxDisabled, misconfigured } from '../mail/refusal.js'
import type { Quota } from '../mail/quota.js'
import type { Alias, Aliases, AliasTarget } from './aliases.js'
import type { Target } from './directory.js'

/** Aliases of aliases of aliases. */
const MAX_DEPTH = 10
/** Addresses that one address may expand to, aliases on the way counted. */
const MAX_TARGETS = 1_000
const POSTMASTER = 'postmaster'
const ABUSE = 'abuse'
/** Who must always be reached (RFC 5321 section 4.5.1) has no quota. */
const ALWAYS: Open = { quota: null }

/** A mailbox that takes mail, as long as its quota lets it. */
interface Open {
  readonly quota: Quota | null
}
export type MailboxState = Open | 'disabled' | 'none'
type Soon<T> = T | Promise<T>

/** What there is to be found. Everything throws when it cannot tell. */
export interface Names {
  owns(domain: string): boolean
  /** True if mail for unknown local parts goes to postmaster. */
  bounceToPostmaster(domain: string): boolean
  /** `null` if they cannot be read and never could. */
  aliases(domain: string): Soon<Aliases | null>
  /** @param address folded */
  mailbox(address: Address): Soon<MailboxState>
}

/** See Directory.resolve. */
export async function resolve(address: Address, names: Names): Promise<readonly Target[]> {
  return names.owns(address.domain) ? new Expansion(names).run(address) : []
}

class Expansion {
  readonly #names: Names
  readonly #seen = new Set<string>()
  readonly #targets = new Map<string, Target>()
  #disabled = false

  constructor(names: Names) {
    this.#names = names
  }

  async run(address: Address): Promise<readonly Target[]> {
    const found = await this.#follow(folded(address), 0).catch((error: unknown) =>
      this.#insist(address, error),
    )
    if (this.#targets.size === 0) this.#lastResort(address.domain)
    if (this.#targets.size > 0) return [...this.#targets.values()]
    if (this.#disabled) throw mailboxDisabled()
    if (!found) return []
    throw fault(`${formatAddress(address)}: its aliases go round in a circle`)
  }

  /** Mail for postmaster and abuse is taken even while their aliases are broken; `check` tells of that. */
  #insist({ local, domain }: Address, error: unknown): boolean {
    if (![POSTMASTER, ABUSE].includes(foldLocal(local))) throw error
    this.#add({ local: POSTMASTER, domain }, ALWAYS.quota)
    return true
  }

  /** RFC 5321 section 4.5.1: if postmaster's alias leads to nobody, there still is the mailbox. */
  #lastResort(domain: string): void {
    const postmaster = { local: POSTMASTER, domain }
    if (this.#seen.has(identity(postmaster))) this.#add(postmaster, ALWAYS.quota)
  }

  /** @returns false if nobody is there */
  async #follow(address: Address, depth: number): Promise<boolean> {
    const id = identity(address)
    // Somebody who is reached twice gets one copy; a circle ends here.
    if (this.#seen.has(id)) return true
    this.#seen.add(id)
    const aliases = await this.#names.aliases(address.domain)
    const alias = aliases?.get(address.local)
    if (alias === undefined) return this.#end(address, aliases !== null, depth)
    if (depth === MAX_DEPTH) throw fault(`${alias.at}: more than ${MAX_DEPTH} aliases deep`)
    await this.#expand(alias, address, depth + 1)
    return true
  }

  async #expand(alias: Alias, self: Address, depth: number): Promise<void> {
    for (const target of alias.targets) {
      const address = this.#addressOf(target, alias, self.domain)
      const isSelf = identity(address) === identity(self)
      const found = await (isSelf ? this.#end(self, true, depth) : this.#follow(address, depth))
      // Dropping this one and delivering the others would lose mail without a word.
      if (!found) throw fault(`${alias.at}: there is no ${formatAddress(address)}`)
      if (this.#seen.size > MAX_TARGETS + 1) {
        throw fault(`${alias.at}: expands to more than ${MAX_TARGETS} addresses`)
      }
    }
  }

  #addressOf(target: AliasTarget, alias: Alias, domain: string): Address {
    if (target.kind === 'undeliverable') throw fault(`${alias.at}: ${target.why}`)
    const address = folded({ local: target.local, domain: target.domain ?? domain })
    if (this.#names.owns(address.domain)) return address
    throw fault(`${alias.at}: ${formatAddress(address)} is elsewhere; that is not supported yet`)
  }

  /** No alias (any more): a mailbox, or what stands in for one. */
  async #end(address: Address, aliasesKnown: boolean, depth: number): Promise<boolean> {
    // RFC 5321 section 4.5.1: postmaster is always there, whatever the user database says.
    const always = aliasesKnown && address.local === POSTMASTER
    const state = always ? ALWAYS : await this.#names.mailbox(address)
    if (typeof state === 'object') this.#add(address, state.quota)
    if (state === 'disabled') this.#disabled = true
    if (state !== 'none') return true
    // Without its aliases nobody can say that an address is unknown.
    if (!aliasesKnown) throw fault(`the aliases of ${address.domain} cannot be read`)
    const { local, domain } = address
    if (local !== ABUSE && !this.#names.bounceToPostmaster(domain)) return false
    return this.#follow({ local: POSTMASTER, domain }, depth)
  }

  #add(user: Address, quota: Quota | null): void {
    this.#targets.set(identity(user), { kind: 'mailbox', user, quota })
  }
}

function folded({ local, domain }: Address): Address {
  return { local: foldLocal(local), domain }
}

/** Not the sender's fault, so the mail may come again. The message is for the log. */
function fault(message: string): Error {
  return misconfigured(new Error(message))
}
