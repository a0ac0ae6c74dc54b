/** The directory that lives in files: `.users` and an aliases file in each domain's directory. */
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { foldLocal, formatAddress, identity, type Address } from '../mail/address.js'
import type { Log } from '../log/log.js'
import { limiting, type Quota } from '../mail/quota.js'
import { AliasFile } from './alias-file.js'
import { AliasLists } from './alias-list.js'
import type { Directory, KnownUsers, Share, StoredLogin, Target, User } from './directory.js'
import { loginless, NOBODY_ELSE, openMailbox } from './elsewhere.js'
import { key } from './key.js'
import { qualify } from './login-name.js'
import {
  DEFAULT_TAG_SEPARATOR,
  type MailboxState,
  type Names,
  type Observer,
  type OpenMailbox,
} from './names.js'
import { postmasterOf } from './required.js'
import { resolve } from './resolve.js'
import type { FilesDomain, FilesOptions, FilesSettings } from './files-settings.js'
import { SecretScan } from './secret-scan.js'
import { Upkeep } from './upkeep.js'
import { SharedLooks } from './shared-looks.js'
import type { UserFile } from './user-file.js'
import { Users } from './users.js'

export type { FilesDomain, FilesOptions, FilesSettings } from './files-settings.js'

/** Milliseconds that a removed user may still get mail; so RCPT needs no system call under load. */
const KNOWN_FOR = 500
/** Users that are remembered at once. */
const MAX_KNOWN = 10_000

interface Domain {
  readonly settings: FilesDomain
  readonly users: Users
  readonly aliases: AliasFile
}

interface Known extends OpenMailbox {
  /** By the clock of the options. */
  readonly until: number
}

export class FilesDirectory implements Directory {
  readonly #log: Log
  readonly #now: () => number
  #domains: ReadonlyMap<string, Domain> = new Map()
  #aliasDomains: ReadonlyMap<string, string> = new Map()
  #defaultDomain: string | null = null
  #tagSeparator = DEFAULT_TAG_SEPARATOR
  readonly #lists = new AliasLists()
  /** By identity: users known to take mail. "No" is never remembered. */
  readonly #known = new Map<string, Known>()
  readonly #looks = new SharedLooks<UserFile>()
  readonly #secrets: SecretScan
  readonly #upkeep: Upkeep
  #rehash = false
  #elsewhere: KnownUsers = NOBODY_ELSE

  readonly #names: Names = {
    owns: (domain) => this.#domains.has(domain) || this.#aliasDomains.has(domain),
    canonical: (domain) => this.#aliasDomains.get(domain) ?? domain,
    tagSeparator: () => this.#tagSeparator,
    fallback: (domain) => this.#fallback(domain),
    aliases: (domain) => this.#domain(domain).aliases.current(),
    list: (path) => this.#lists.read(path),
    mailbox: (address) => this.#mailbox(address),
    leftOut: (user, of) => this.#leftOut(user, of),
  }

  constructor({ log, now = () => performance.now(), ...settings }: FilesOptions) {
    this.#log = log
    this.#now = now
    this.#secrets = new SecretScan(() => this.#users(), log, now)
    this.#upkeep = new Upkeep(log)
    this.reconfigure(settings)
  }

  /** Takes up new settings, and looks at every aliases file anew. Domains that stay keep the last good copy of theirs. */
  reconfigure(settings: FilesSettings): void {
    const { domains, defaultDomain, aliasDomains = {}, tagSeparator } = settings
    const old = this.#domains
    this.#domains = new Map(
      Object.entries(domains).map(([name, domain]) => [name, this.#make(domain, old.get(name))]),
    )
    this.#aliasDomains = new Map(Object.entries(aliasDomains))
    this.#defaultDomain = defaultDomain
    this.#tagSeparator = tagSeparator ?? DEFAULT_TAG_SEPARATOR
    this.#rehash = settings.rehash ?? false
    this.#known.clear()
  }

  /** Who has no user file may still be known there. */
  askAlso(users: KnownUsers): void {
    this.#elsewhere = users
  }

  async owns(domain: string): Promise<boolean> {
    return this.#names.owns(domain)
  }

  /** @param observe is told each step on the way */
  async resolve(address: Address, observe?: Observer): Promise<readonly Target[]> {
    const plain = observe === undefined ? this.#plain(address) : null
    return plain ?? resolve(address, this.#names, observe)
  }

  /** Most mail is for a user who was found a moment ago, and whom no alias stands in the way of. */
  #plain({ local: said, domain }: Address): readonly Target[] | null {
    const aliases = this.#domains.get(domain)?.aliases.current()
    if (aliases === undefined || aliases === null || aliases instanceof Promise) return null
    const local = foldLocal(said)
    const user = { local, domain }
    const known = this.#known.get(identity(user))
    if (known === undefined || known.until <= this.#now() || aliases.has(local)) return null
    const required = local === postmasterOf(domain).local
    const further = required || known.deliver !== null || known.forward.length > 0
    return further ? null : [{ kind: 'mailbox', user, quota: known.quota }]
  }

  async user({ local, domain: said }: Address): Promise<User | null> {
    const domain = this.#names.canonical(said)
    const settings = this.#domains.get(domain)
    if (settings === undefined) return null
    const address = { local: foldLocal(local), domain }
    const file = await settings.users.readPrivate(local)
    if (file === null) {
      return loginless(address, await this.#elsewhere.find(address), this.#domainQuota(domain))
    }
    this.#secrets.note(file)
    const { password, scram, passwordProtocols, appPasswords, disabled, name } = file
    const login = { password, scram, passwordProtocols, appPasswords, disabled }
    return { address, ...login, name, quota: this.#quota(domain, file) }
  }

  async improve(user: Address, was: string, make: () => Promise<StoredLogin>): Promise<void> {
    const users = this.#domains.get(user.domain)?.users
    if (this.#rehash && users !== undefined) await this.#upkeep.improve(users, user, was, make)
  }

  async noteUse(user: Address, appPassword: string): Promise<void> {
    const users = this.#domains.get(user.domain)?.users
    if (users !== undefined) await this.#upkeep.noteUse(users, user, appPassword)
  }

  qualify(login: string): Address | null {
    const address = qualify(login, this.#defaultDomain)
    return address && { ...address, domain: this.#names.canonical(address.domain) }
  }

  secrets(): Share {
    return this.#secrets.current().secrets ?? 'none'
  }

  scram(): Share {
    return this.#secrets.current().scram ?? 'none'
  }

  /** Looks at the user files for {@link secrets} and {@link scram} at once, as new settings ask for. Bounded; never throws. */
  scanSecrets(): Promise<void> {
    return this.#secrets.scan()
  }

  /** Where the mailbox of a user is, whether there is one or not; `null` if there can be none. */
  mailboxPath({ local, domain }: Address): string | null {
    const name = key(local)
    const settings = this.#domains.get(domain)?.settings
    return name === null || settings === undefined ? null : join(settings.path, name)
  }

  async #mailbox(address: Address): Promise<MailboxState> {
    const id = identity(address)
    const now = this.#now()
    const known = this.#known.get(id)
    if (known !== undefined && known.until > now) return known
    const { users } = this.#domain(address.domain)
    const user = await this.#looks.look(id, () => users.read(address.local))
    if (user === null) return this.#strange(address)
    if (user.disabled) return 'disabled'
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    const { forward, keep } = user
    const deliver = user.deliver ?? this.#domain(address.domain).settings.deliver ?? null
    const quota = this.#quota(address.domain, user)
    const open = { quota, forward, keep, deliver, until: now + KNOWN_FOR }
    this.#known.set(id, open)
    return open
  }

  /** Of somebody without a user file. */
  async #strange(address: Address): Promise<MailboxState> {
    const { settings } = this.#domain(address.domain)
    const quota = this.#domainQuota(address.domain)
    return openMailbox(await this.#elsewhere.find(address), quota, settings.deliver ?? null)
  }

  #domainQuota(domain: string): Quota | null {
    return this.#domain(domain).settings.quota ?? null
  }

  /** Somebody may wonder why a list does not reach everybody. */
  #leftOut(user: Address, of: Address): void {
    const fields = { user: formatAddress(user), of: formatAddress(of) }
    this.#log.info('disabled user left out', fields)
  }

  #fallback(domain: string): Address | null {
    const { catchAll, bounceToPostmaster } = this.#domain(domain).settings
    return catchAll ?? (bounceToPostmaster ? postmasterOf(domain) : null)
  }

  #quota(domain: string, { quota }: UserFile): Quota | null {
    return limiting(quota ?? this.#domainQuota(domain))
  }

  #users(): ReadonlyMap<string, Users> {
    return new Map([...this.#domains].map(([name, { users }]) => [name, users]))
  }

  #domain(name: string): Domain {
    const domain = this.#domains.get(name)
    if (domain === undefined) throw new Error(`${name} is not a domain of this server`)
    return domain
  }

  #make(settings: FilesDomain, old: Domain | undefined): Domain {
    const same = old?.aliases.path === settings.aliases
    const aliases = same ? old.aliases : new AliasFile(settings.aliases, this.#log, this.#now)
    aliases.expire()
    return { settings, users: new Users(settings.path), aliases }
  }
}
