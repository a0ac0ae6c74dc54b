/** A directory given in code: for tests, and for mailtap as a library. */
import { foldLocal, identity, parseAddress, type Address } from '../mail/address.js'
import { limiting, type Quota } from '../mail/quota.js'
import { AliasLists } from './alias-list.js'
import { parseAliases, type Aliases } from './aliases.js'
import type { Directory, Share, Target, User } from './directory.js'
import { qualify } from './login-name.js'
import { DEFAULT_TAG_SEPARATOR, type MailboxState, type Names } from './names.js'
import { postmasterOf } from './required.js'
import { resolve } from './resolve.js'
import { NOBODY, type Shares, sharesOf, together } from './secrets.js'

export interface MemoryDomain {
  /** Text of an aliases(5) file. */
  readonly aliases?: string
  readonly bounceToPostmaster?: boolean
  /** Who gets mail for unknown local parts. */
  readonly catchAll?: Address | null
  /** Of all its users. */
  readonly quota?: Quota | null
}

export interface MemoryOptions {
  /** By domain in canonical form. The domains of users need not be named. */
  readonly domains?: Readonly<Record<string, MemoryDomain>>
  /**
   * Passwords by address. What begins with `$` or `{` is a stored form, as in
   * a user file; `!` is no login; everything else is the password itself.
   */
  readonly users: Readonly<Record<string, string>>
  /** Alias domains, and which of the domains each stands for. */
  readonly aliasDomains?: Readonly<Record<string, string>>
  /** Between a user's name and a tag: one character, `+` unless said; empty for no tags. */
  readonly tagSeparator?: string
  /** Where bare login names belong; the only domain, if there is but one. */
  readonly defaultDomain?: string | null
}

interface Domain {
  readonly aliases: Aliases
  readonly fallback: Address | null
  readonly quota: Quota | null
}

export class MemoryDirectory implements Directory {
  readonly #domains = new Map<string, Domain>()
  /** By identity. */
  readonly #users = new Map<string, User>()
  readonly #defaultDomain: string | null
  readonly #aliasDomains: ReadonlyMap<string, string>
  readonly #lists = new AliasLists()
  readonly #names: Names

  /** @throws Error on what is no address, AliasesError on aliases that cannot be understood */
  constructor(options: MemoryOptions) {
    const { domains = {}, users, defaultDomain, aliasDomains = {} } = options
    this.#aliasDomains = new Map(Object.entries(aliasDomains))
    this.#names = this.#namesWith(options.tagSeparator ?? DEFAULT_TAG_SEPARATOR)
    for (const [name, domain] of Object.entries(domains)) this.#addDomain(name, domain)
    for (const [address, password] of Object.entries(users)) this.#addUser(address, password)
    const [only, ...others] = this.#domains.keys()
    this.#defaultDomain = defaultDomain ?? (others.length === 0 ? (only ?? null) : null)
  }

  async owns(domain: string): Promise<boolean> {
    return this.#names.owns(domain)
  }

  resolve(address: Address): Promise<readonly Target[]> {
    return resolve(address, this.#names)
  }

  async user({ local, domain }: Address): Promise<User | null> {
    return this.#users.get(identity({ local, domain: this.#names.canonical(domain) })) ?? null
  }

  qualify(login: string): Address | null {
    return qualify(login, this.#defaultDomain)
  }

  secrets(): Share {
    return this.#shares().secrets ?? 'none'
  }

  scram(): Share {
    return this.#shares().scram ?? 'none'
  }

  #namesWith(tagSeparator: string): Names {
    return {
      owns: (domain) => this.#domains.has(domain) || this.#aliasDomains.has(domain),
      canonical: (domain) => this.#aliasDomains.get(domain) ?? domain,
      tagSeparator: () => tagSeparator,
      fallback: (domain) => this.#domains.get(domain)!.fallback,
      aliases: (domain) => this.#domains.get(domain)!.aliases,
      list: (path) => this.#lists.read(path),
      mailbox: (address) => this.#mailbox(address),
    }
  }

  #mailbox(address: Address): MailboxState {
    const user = this.#users.get(identity(address))
    return user === undefined
      ? 'none'
      : { quota: user.quota, forward: [], keep: false, deliver: null }
  }

  #shares(): Shares {
    return [...this.#users.values()].map(sharesOf).reduce(together, NOBODY)
  }

  #addDomain(name: string, domain: MemoryDomain): void {
    const { aliases = '', bounceToPostmaster = false, catchAll = null, quota } = domain
    this.#domains.set(name, {
      aliases: parseAliases(aliases, `aliases of ${name}`),
      fallback: catchAll ?? (bounceToPostmaster ? postmasterOf(name) : null),
      quota: limiting(quota ?? null),
    })
  }

  #addUser(text: string, password: string): void {
    const parsed = parseAddress(text)
    if (parsed === null) throw new Error(`${JSON.stringify(text)} is not an address`)
    const address = { local: foldLocal(parsed.local), domain: parsed.domain }
    if (!this.#domains.has(address.domain)) this.#addDomain(address.domain, {})
    const { quota } = this.#domains.get(address.domain)!
    const facts = { scram: null, disabled: false, name: null, quota }
    this.#users.set(identity(address), { address, password: stored(password), ...facts })
  }
}

function stored(password: string): string | null {
  if (password.startsWith('!')) return null
  return /^[${]/.test(password) ? password : `{PLAIN}${password}`
}
