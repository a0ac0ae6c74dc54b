/** The directory that lives in files: `.users` and an aliases file in each domain's directory. */
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { foldLocal, identity, type Address } from '../mail/address.js'
import type { Log } from '../log/log.js'
import type { LmtpPlace } from '../mail/lmtp-place.js'
import { limiting, type Quota } from '../mail/quota.js'
import { AliasFile } from './alias-file.js'
import { AliasLists } from './alias-list.js'
import type { Directory, Share, Target, User } from './directory.js'
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
import { SecretScan } from './secret-scan.js'
import type { UserFile } from './user-file.js'
import { Users } from './users.js'

/** Milliseconds that a removed user may still get mail; so RCPT needs no system call under load. */
const KNOWN_FOR = 500
/** Users that are remembered at once. */
const MAX_KNOWN = 10_000

export interface FilesDomain {
  /** The domain's directory. */
  readonly path: string
  /** aliases(5) file; it may be missing. */
  readonly aliases: string
  readonly bounceToPostmaster: boolean
  /** Who gets mail for unknown local parts; before `bounceToPostmaster`. */
  readonly catchAll?: Address | null
  /** Of users whose file names none. */
  readonly quota?: Quota | null
  /** The LMTP server of users whose file names none. */
  readonly deliver?: LmtpPlace | null
}

export interface FilesSettings {
  /** By domain in canonical form. */
  readonly domains: Readonly<Record<string, FilesDomain>>
  /** Alias domains, and which of the domains each stands for. */
  readonly aliasDomains?: Readonly<Record<string, string>>
  /** One of the domains, or `null`. */
  readonly defaultDomain: string | null
  /** Between a user's name and a tag: one character, `+` unless said; empty for no tags. */
  readonly tagSeparator?: string
}

export interface FilesOptions extends FilesSettings {
  readonly log: Log
  /** Milliseconds of a clock that never goes back; the system's unless a test brings its own. */
  readonly now?: () => number
}

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
  readonly #secrets: SecretScan

  readonly #names: Names = {
    owns: (domain) => this.#domains.has(domain) || this.#aliasDomains.has(domain),
    canonical: (domain) => this.#aliasDomains.get(domain) ?? domain,
    tagSeparator: () => this.#tagSeparator,
    fallback: (domain) => this.#fallback(domain),
    aliases: (domain) => this.#domain(domain).aliases.current(),
    list: (path) => this.#lists.read(path),
    mailbox: (address) => this.#mailbox(address),
  }

  constructor({ log, now = () => performance.now(), ...settings }: FilesOptions) {
    this.#log = log
    this.#now = now
    this.#secrets = new SecretScan(() => this.#users(), log, now)
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
    this.#known.clear()
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
    const file = await this.#domains.get(domain)?.users.readPrivate(local)
    if (file === null || file === undefined) return null
    this.#secrets.note(file)
    const { password, scram, disabled, name } = file
    const address = { local: foldLocal(local), domain }
    return { address, password, scram, disabled, name, quota: this.#quota(domain, file) }
  }

  qualify(login: string): Address | null {
    return qualify(login, this.#defaultDomain)
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
    const user = await this.#domain(address.domain).users.read(address.local)
    if (user === null) return 'none'
    if (user.disabled) return 'disabled'
    if (this.#known.size >= MAX_KNOWN) this.#known.clear()
    const { forward, keep } = user
    const deliver = user.deliver ?? this.#domain(address.domain).settings.deliver ?? null
    const quota = this.#quota(address.domain, user)
    const open = { quota, forward, keep, deliver, until: now + KNOWN_FOR }
    this.#known.set(id, open)
    return open
  }

  #fallback(domain: string): Address | null {
    const { catchAll, bounceToPostmaster } = this.#domain(domain).settings
    return catchAll ?? (bounceToPostmaster ? postmasterOf(domain) : null)
  }

  #quota(domain: string, { quota }: UserFile): Quota | null {
    return limiting(quota ?? this.#domain(domain).settings.quota ?? null)
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
