/**
 * Follows an address to where its mail goes: alias domain, alias, user,
 * `user+tag`, postmaster and abuse, catch-all, in this order, as Postfix does.
 * An alias beats a user of the same name; an alias that names itself means the
 * user; an exact name beats a tag.
 */
import { foldLocal, formatAddress, identity, type Address } from '../mail/address.js'
import { addressRefused, mailboxDisabled, type Refusal } from '../mail/refusal.js'
import type { ListEntry } from './alias-list.js'
import type { AliasTarget } from './alias-target.js'
import type { Alias } from './aliases.js'
import type { Target } from './directory.js'
import { Ends } from './ends.js'
import type { MailboxState, Names, Observer, OpenMailbox, Soon } from './names.js'
import { isAbuse, isPostmaster, isRequired, postmasterOf, stateOfPostmaster } from './required.js'
import { splitTag } from './tag.js'
import { deeper, fault, MAX_TARGETS, type Source, START, type Way } from './way.js'

/** See Directory.resolve. @param observe is told each step */
export async function resolve(
  address: Address,
  names: Names,
  observe?: Observer,
): Promise<readonly Target[]> {
  return names.owns(address.domain) ? new Expansion(names, new Ends(observe)).run(address) : []
}

class Expansion {
  readonly #names: Names
  readonly #ends: Ends
  readonly #seen = new Set<string>()
  readonly #lists = new Set<string>()
  readonly #disabled: Address[] = []
  #refusal: Refusal | null = null

  constructor(names: Names, ends: Ends) {
    this.#names = names
    this.#ends = ends
  }

  async run(address: Address): Promise<readonly Target[]> {
    const start = this.#own(address, 0)
    const found = await this.#all(start).catch((error: unknown) => this.#insist(start, error))
    if (this.#ends.size === 0) this.#lastResort(start.domain)
    // The others have the mail, so its sender hears nothing of them.
    if (this.#ends.size > 0) {
      for (const user of this.#disabled) this.#names.leftOut?.(user, start)
      return this.#ends.all
    }
    if (this.#disabled.length > 0) throw mailboxDisabled()
    if (!found) return []
    throw fault(`${formatAddress(address)}: its aliases go round in a circle`)
  }

  async #all(start: Address): Promise<boolean> {
    const found = await this.#follow(start, START)
    if (this.#refusal === null) return found
    // Nobody but those whom the administrator has refused: then the sender may hear it.
    if (this.#ends.size === 0) throw this.#refusal
    throw fault(`${formatAddress(start)} leads to a :fail: beside others`)
  }

  /** Mail for postmaster and abuse is taken even while their aliases are broken; `check` tells of that. */
  #insist(address: Address, error: unknown): boolean {
    if (!isRequired(address, this.#names.tagSeparator())) throw error
    this.#always(address.domain)
    return true
  }

  /** RFC 5321 section 4.5.1: if postmaster's alias leads to nobody, there still is the mailbox. */
  #lastResort(domain: string): void {
    if (this.#seen.has(identity(postmasterOf(domain)))) this.#always(domain)
  }

  #always(domain: string): void {
    this.#ends.add({ kind: 'mailbox', user: postmasterOf(domain), quota: null }, 0)
  }

  /** @returns false if nobody is there */
  async #follow(address: Address, way: Way): Promise<boolean> {
    // Somebody who is reached twice gets one copy; a circle ends here.
    if (this.#seen.has(identity(address))) {
      this.#ends.note('seen before', address, way.depth)
      return true
    }
    this.#seen.add(identity(address))
    const aliases = await this.#names.aliases(address.domain)
    const alias = aliases?.get(address.local)
    if (alias === undefined) return this.#end(address, aliases !== null, way)
    await this.#expand(alias, address, way)
    return true
  }

  async #expand({ at, targets }: Alias, self: Address, way: Way): Promise<void> {
    this.#ends.note('alias', self, way.depth, at)
    const source = { ...way, at, self, forwards: false, depth: deeper(way.depth, at) }
    for (const target of targets) await this.#take(target, source)
  }

  /** Dropping one target and delivering to the others would lose mail without a word. */
  async #take(target: AliasTarget, source: Source): Promise<void> {
    const { at, self } = source
    switch (target.kind) {
      case 'undeliverable':
        throw fault(`${at}: ${target.why}`)
      case 'fail':
        this.#refusal ??= addressRefused(target.status, target.text)
        return
      case 'include':
        return this.#include(target.path, source)
      case 'address':
        return this.#reach({ local: target.local, domain: target.domain ?? self.domain }, source)
      case 'program':
        return this.#add({ ...target, ...this.#written(source) }, source)
      case 'file':
      case 'maildir':
      case 'discard':
        return this.#add({ ...target, of: self }, source)
    }
  }

  /** The alias as it was written, with its tag. */
  #written({ self, extension }: Source): { of: Address; extension: string | null } {
    if (extension === null) return { of: self, extension }
    const local = `${self.local}${this.#names.tagSeparator()}${extension}`
    return { of: { ...self, local }, extension }
  }

  async #include(path: string, source: Source): Promise<void> {
    this.#ends.note('list', path, source.depth, source.at)
    if (this.#lists.has(path)) return
    this.#lists.add(path)
    const depth = deeper(source.depth, source.at)
    for (const { at, target } of await this.#list(path, source.at)) {
      await this.#take(target, { ...source, at, depth })
    }
  }

  /** Whatever is wrong with the file: the mail waits. */
  async #list(path: string, at: string): Promise<readonly ListEntry[]> {
    try {
      return await this.#names.list(path)
    } catch (error) {
      throw fault(`${at}: :include:${path}`, { cause: error })
    }
  }

  async #reach(named: Address, source: Source): Promise<void> {
    const { at, self } = source
    if (!this.#names.owns(named.domain)) {
      this.#add({ kind: 'remote', address: named, of: self }, source)
      return
    }
    const address = this.#own(named, source.depth)
    const way = { ...source, extension: null }
    const isSelf = identity(address) === identity(self)
    const found = await (isSelf ? this.#end(self, true, way) : this.#follow(address, way))
    if (!found) throw fault(`${at}: there is no ${formatAddress(address)}`)
    this.#refuseExplosion(at)
  }

  /** No alias (any more): a mailbox, or what stands in for one. */
  async #end(address: Address, aliasesKnown: boolean, way: Way): Promise<boolean> {
    const state = await this.#state(address, aliasesKnown)
    if (state !== 'none') {
      await this.#arrive(address, state, way)
      return true
    }
    const tag = splitTag(address.local, this.#names.tagSeparator())
    if (tag !== null) return this.#untagged({ ...address, local: tag.base }, tag.extension, way)
    // Without its aliases nobody can say that an address is unknown.
    if (!aliasesKnown) throw fault(`the aliases of ${address.domain} cannot be read`)
    return this.#nobody(address, way)
  }

  #state(address: Address, aliasesKnown: boolean): Soon<MailboxState> {
    const required = aliasesKnown && isPostmaster(address)
    return required ? stateOfPostmaster(address, this.#names) : this.#names.mailbox(address)
  }

  async #untagged(base: Address, extension: string, way: Way): Promise<boolean> {
    this.#ends.note('tag', base, way.depth)
    const isSelf = way.self !== null && identity(base) === identity(way.self)
    return isSelf ? this.#end(base, true, way) : this.#follow(base, { ...way, extension })
  }

  async #nobody(address: Address, way: Way): Promise<boolean> {
    const { domain } = address
    const instead = isAbuse(address) ? postmasterOf(domain) : this.#names.fallback(domain)
    if (instead === null) {
      this.#ends.note('nobody', address, way.depth)
      return false
    }
    this.#ends.note(isPostmaster(instead) ? 'postmaster' : 'catch-all', instead, way.depth)
    const at = `catch-all of ${domain}`
    if (identity(instead) === identity(address)) throw fault(`${at}: there is no such user`)
    await this.#reach(instead, { ...way, at, self: address, forwards: false })
    return true
  }

  async #arrive(user: Address, state: OpenMailbox | 'disabled', way: Way): Promise<void> {
    if (state === 'disabled') {
      this.#disabled.push(user)
      this.#ends.note('disabled', user, way.depth)
      return
    }
    const { deliver: endpoint, quota } = state
    const own: Target =
      endpoint === null ? { kind: 'mailbox', user, quota } : { kind: 'lmtp', endpoint, to: user }
    // A user who forwards to the own address means the mailbox.
    const isSelf = way.forwards && way.self !== null && identity(user) === identity(way.self)
    const forward = isSelf ? [] : state.forward
    if (state.keep || forward.length === 0) this.#ends.add(own, way.depth)
    if (forward.length > 0) await this.#forward(forward, user, way.depth)
  }

  async #forward(forward: readonly Address[], self: Address, depth: number): Promise<void> {
    const at = `forward of ${formatAddress(self)}`
    const source = { at, self, depth: deeper(depth, at), forwards: true, extension: null }
    for (const address of forward) {
      this.#ends.note('forward', address, depth)
      await this.#reach(address, source)
    }
  }

  /** An address of ours in the one form that everything else knows. */
  #own({ local, domain: said }: Address, depth: number): Address {
    const domain = this.#names.canonical(said)
    const address = { local: foldLocal(local), domain }
    if (domain !== said) this.#ends.note('alias domain', address, depth)
    return address
  }

  #add(target: Target, { at, depth }: Source): void {
    this.#ends.add(target, depth, at)
    this.#refuseExplosion(at)
  }

  #refuseExplosion(at: string): void {
    if (Math.max(this.#seen.size - 1, this.#ends.size) <= MAX_TARGETS) return
    throw fault(`${at}: expands to more than ${MAX_TARGETS} addresses`)
  }
}
