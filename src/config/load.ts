/** From mailtap.toml to the {@link Config}: reads, merges, checks, fills in defaults, makes paths absolute. */
import { stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { parseDomain } from '../mail/address.js'
import { limiting } from '../mail/quota.js'
import { aliasDomains } from './alias-domains.js'
import type { Config, DomainConfig, TlsPair } from './config.js'
import { Problems } from './config-error.js'
import { PATH_MISSING } from './domain-form.js'
import { limitsOf } from './limits.js'
import { listenProblem } from './listen.js'
import { metricsOf } from './metrics-config.js'
import { overlap, realPath } from './overlap.js'
import { queueOf, queueProblem } from './queue-config.js'
import { relayOf } from './relay-load.js'
import { runOf } from './run-config.js'
import { salvage } from './salvage.js'
import { readSource } from './read.js'
import { checkForm, type Settings } from './schema.js'
import { smtpOf } from './smtp-config.js'
import type { Path, Source } from './source.js'

/** Where a domain keeps its aliases if the config does not say. */
const ALIASES = '.aliases'

/**
 * @param file the main file
 * @param checkers the types that `auth` may name
 * @throws ConfigError with every problem found; errors of the file system when the file can not be read
 */
export async function loadConfig(file: string, checkers: readonly string[]): Promise<Config> {
  return new Loading(await readSource(file), checkers).config()
}

/** One load: what was read and what is wrong with it. */
class Loading {
  readonly #source: Source
  readonly #problems: Problems
  readonly #checkers: readonly string[]
  /** By domain: its directory without symbolic links. */
  readonly #places = new Map<string, string>()

  constructor(source: Source, checkers: readonly string[]) {
    this.#source = source
    this.#checkers = checkers
    this.#problems = new Problems(source)
  }

  async config(): Promise<Config> {
    const settings = this.#settings()
    const domains = await this.#domains(settings)
    const watched = metricsOf(settings.metrics, settings.listen, this.#problems)
    const config: Config = {
      hostname: this.#hostname(settings),
      state: this.#path(['state'], settings.state),
      auth: this.#auth(settings),
      rehash: settings.rehash,
      listen: this.#listen(settings),
      domains,
      aliasDomains: aliasDomains(settings, Object.keys(domains), this.#source, this.#problems),
      tagSeparator: settings.mailboxes.tag_separator,
      defaultDomain: this.#defaultDomain(settings, Object.keys(domains)),
      pop3: pop3(settings),
      smtp: smtpOf(settings.smtp),
      submission: { anySender: settings.submission.any_sender },
      mailboxes: { trashMs: settings.mailboxes.trash },
      tls: await this.#tls(['tls'], settings.tls),
      limits: limitsOf(settings.limits),
      filter: settings.filter,
      relay: await relayOf(settings.relay, this.#source, this.#problems),
      queue: this.#queue(settings),
      run: runOf(settings.run),
      log: settings.log,
      ...(watched === undefined ? {} : { metrics: watched }),
    }
    if (this.#problems.any) throw this.#problems.error()
    return config
  }

  /**
   * What has not the right form is noted and left out, so that the rest is looked at too.
   * @throws ConfigError when nothing usable is left
   */
  #settings(): Settings {
    const checked = checkForm(this.#source.value)
    if (checked.settings !== null) return checked.settings
    for (const { path, what } of checked.problems) this.#problems.add(path, what)
    const rest = salvage(this.#source.value, checked.problems)
    if (rest !== null) return rest
    throw this.#problems.error()
  }

  #hostname({ hostname: said }: Settings): string {
    if (said === undefined) return parseDomain(hostname()) ?? 'localhost'
    const name = parseDomain(said)
    if (name === null) this.#problems.add(['hostname'], `'${said}' is no host name`)
    return name ?? said
  }

  #auth({ auth }: Settings): readonly string[] {
    for (const [index, checker] of auth.entries()) {
      const [type = ''] = checker.split(':', 1)
      if (this.#checkers.includes(type)) continue
      const what = `'${type}' is no checker of this version; use ${this.#checkers.join(' or ')}`
      this.#problems.add(['auth', index], what)
    }
    return auth
  }

  #listen({ listen }: Settings): Config['listen'] {
    const problem = listenProblem(listen)
    if (problem !== null) this.#problems.add(problem.path, problem.what)
    return listen
  }

  #queue({ queue: said }: Settings): Config['queue'] {
    const queue = queueOf(said)
    const problem = queueProblem(queue)
    if (problem !== null) this.#problems.add(problem.path, problem.what)
    return queue
  }

  async #domains({ domains, mailboxes }: Settings): Promise<Record<string, DomainConfig>> {
    const byName = new Map<string, DomainConfig>()
    for (const [said, settings] of Object.entries(domains)) {
      if (settings.alias_of !== undefined) continue
      const name = this.#domainName(said, byName)
      if (settings.path === undefined) {
        this.#noPath(said)
      } else if (name !== null) {
        const domain = await this.#domain(['domains', said], settings, settings.path)
        await this.#mustBeApart(name, ['domains', said, 'path'], domain.path)
        byName.set(name, { ...domain, quota: limiting(settings.quota ?? mailboxes.quota) })
      }
    }
    return Object.fromEntries(byName)
  }

  /** Of a path that is there and wrong, enough was said. */
  #noPath(said: string): void {
    const at: Path = ['domains', said, 'path']
    const what = `domains.${JSON.stringify(said)}.path: ${PATH_MISSING}`
    if (!this.#source.says(at)) this.#problems.add(at, what)
  }

  #domainName(said: string, others: ReadonlyMap<string, unknown>): string | null {
    const name = parseDomain(said)
    if (name === null) this.#problems.add(['domains', said], `'${said}' is no domain name`)
    if (name === null || !others.has(name)) return name
    this.#problems.add(['domains', said], `'${said}' is ${name}, which is there already; keep one`)
    return null
  }

  async #domain(
    at: Path,
    settings: Settings['domains'][string],
    said: string,
  ): Promise<Omit<DomainConfig, 'quota'>> {
    const path = this.#path([...at, 'path'], said)
    await this.#mustBe('directory', [...at, 'path'], path)
    const { aliases } = settings
    if (aliases !== undefined) {
      await this.#mustBe('file', [...at, 'aliases'], this.#path([...at, 'aliases'], aliases))
    }
    if (settings.bounce_to_postmaster && settings.catch_all !== undefined) {
      this.#problems.add([...at, 'catch_all'], 'beside bounce_to_postmaster; keep one of both')
    }
    return {
      path,
      bounceToPostmaster: settings.bounce_to_postmaster,
      catchAll: settings.catch_all ?? null,
      deliver: settings.deliver ?? null,
      aliases:
        aliases === undefined ? join(path, ALIASES) : this.#path([...at, 'aliases'], aliases),
      tls: await this.#tls([...at, 'tls'], settings.tls),
    }
  }

  async #mustBeApart(name: string, at: Path, path: string): Promise<void> {
    const place = await realPath(path)
    for (const [other, its] of this.#places) {
      if (overlap(place, its)) this.#problems.add(at, overlapping(other))
    }
    this.#places.set(name, place)
  }

  #defaultDomain(settings: Settings, domains: readonly string[]): string | null {
    const said = settings.default_domain
    if (said === undefined) return domains.length === 1 ? domains[0]! : null
    const name = parseDomain(said)
    if (name !== null && domains.includes(name)) return name
    // Of a domain that is there and wrong, enough was said.
    const written = Object.keys(this.#source.value['domains'] ?? {}).map(parseDomain)
    if (name === null || !written.includes(name)) {
      const what = `'${said}' is none of the domains here: ${domains.join(', ')}`
      this.#problems.add(['default_domain'], what)
    }
    return null
  }

  async #tls(at: Path, tls: Settings['tls']): Promise<TlsPair | null> {
    if (tls === undefined) return null
    const cert = this.#path([...at, 'cert'], tls.cert)
    const key = this.#path([...at, 'key'], tls.key)
    await this.#mustBe('file', [...at, 'cert'], cert)
    await this.#mustBe('file', [...at, 'key'], key)
    return { cert, key }
  }

  #path(at: Path, said: string): string {
    return resolve(this.#source.directory(at), said)
  }

  /** A typing error must not become a new, empty place for mail; what may be there but hidden is not judged. */
  async #mustBe(what: 'file' | 'directory', at: Path, path: string): Promise<void> {
    const found = await kindOf(path)
    if (found === null || found === what) return
    this.#problems.add(at, found === 'nothing' ? missing(what, path) : `${path} is no ${what}`)
  }
}

function missing(what: 'file' | 'directory', path: string): string {
  const remedy = what === 'directory' ? `; make it (mkdir -m 700 ${path}) or correct the path` : ''
  return `${path}: no such ${what}${remedy}`
}

const overlapping = (name: string): string =>
  `this directory is, holds or lies in that of ${name}; give each domain its own`

async function kindOf(path: string): Promise<'file' | 'directory' | 'nothing' | null> {
  try {
    const found = await stat(path)
    return found.isDirectory() ? 'directory' : 'file'
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return ['ENOENT', 'ENOTDIR'].includes(code) ? 'nothing' : null
  }
}

function pop3({ pop3: settings }: Settings): Config['pop3'] {
  const { login_delay: loginDelay, takeover_after: takeoverAfter, expire, ...rest } = settings
  return { ...rest, loginDelay, takeoverAfter, expire: String(expire) }
}
