/** A directory given in code: for tests, and for mailtap as a library. */
import { foldLocal, identity, parseAddress, type Address } from '../mail/address.js'
import { limiting, type Quota } from '../mail/quota.js'
import { parseAliases, type Aliases } from './aliases.js'
import type { Directory, Share, Target, User } from './directory.js'
import { qualify } from './login-name.js'
import { resolve, type Names } from './resolve.js'
import { NOBODY, type Shares, sharesOf, together } from './secrets.js'

export interface MemoryDomain {
  /** Text of an aliases(5) file. */
  readonly aliases?: string
  readonly bounceToPostmaster?: boolean
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
  /** Where bare login names belong; the only domain, if there is but one. */
  readonly defaultDomain?: string | null
}

interface Domain {
  readonly aliases: Aliases
  readonly bounceToPostmaster: boolean
  readonly quota: Quota | null
}

export class MemoryDirectory implements Directory {
  readonly #domains = new Map<string, Domain>()
  /** By identity. */
  readonly #users = new Map<string, User>()
  readonly #defaultDomain: string | null

  readonly #names: Names = {
    owns: (domain) => this.#domains.has(domain),
    bounceToPostmaster: (domain) => this.#domains.get(domain)!.bounceToPostmaster,
    aliases: (domain) => this.#domains.get(domain)!.aliases,
    mailbox: (address) => this.#users.get(identity(address)) ?? 'none',
  }

  /** @throws Error on what is no address, AliasesError on aliases that cannot be understood */
  constructor({ domains = {}, users, defaultDomain }: MemoryOptions) {
    for (const [name, domain] of Object.entries(domains)) this.#addDomain(name, domain)
    for (const [address, password] of Object.entries(users)) this.#addUser(address, password)
    const [only, ...others] = this.#domains.keys()
    this.#defaultDomain = defaultDomain ?? (others.length === 0 ? (only ?? null) : null)
  }

  async owns(domain: string): Promise<boolean> {
    return this.#domains.has(domain)
  }

  resolve(address: Address): Promise<readonly Target[]> {
    return resolve(address, this.#names)
  }

  async user(address: Address): Promise<User | null> {
    return this.#users.get(identity(address)) ?? null
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

  #shares(): Shares {
    return [...this.#users.values()].map(sharesOf).reduce(together, NOBODY)
  }

  #addDomain(
    name: string,
    { aliases = '', bounceToPostmaster = false, quota }: MemoryDomain,
  ): void {
    this.#domains.set(name, {
      aliases: parseAliases(aliases, `aliases of ${name}`),
      bounceToPostmaster,
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
