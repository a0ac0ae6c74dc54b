/** From `[relay]` as it is written to what it means: names, defaults, files, and what does not go together. */
import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { parseDomainPattern } from '../mail/domain-pattern.js'
import { formatSmarthost, isLoopback, type Smarthost } from '../mail/smarthost.js'
import type { Problems } from './config-error.js'
import {
  NO_RELAY,
  type RelayConfig,
  type RouteConfig,
  type SecretConfig,
  type TlsPolicyConfig,
} from './relay-config.js'
import type { RelaySaid, RouteSaid, WaySaid } from './relay-schema.js'
import type { Path, Source } from './source.js'

/** A smarthost knows us. */
const SMARTHOST_CONCURRENCY = 20
/** To each domain: a server of strangers that gets more at once takes us for somebody who sends spam. */
const MX_CONCURRENCY = 5
/** Of the route that fits everything. */
const USUAL = 'default'
/** Permission bits of everybody else. */
const WORLD = 0o007

/** @param said `undefined` = there is no `[relay]` */
export async function relayOf(
  said: RelaySaid | undefined,
  source: Source,
  problems: Problems,
): Promise<RelayConfig> {
  return said === undefined ? NO_RELAY : new RelayLoading(source, problems).config(said)
}

class RelayLoading {
  readonly #source: Source
  readonly #problems: Problems

  constructor(source: Source, problems: Problems) {
    this.#source = source
    this.#problems = problems
  }

  async config(said: RelaySaid): Promise<RelayConfig> {
    const { via } = said
    if (via === undefined) {
      this.#noVia(['relay'], 'say where mail goes that no route fits')
      return NO_RELAY
    }
    const routes = await this.#routes(said.route)
    const match = { senderDomains: [], recipientDomains: [], users: [] }
    const usual = { name: USUAL, match, ...(await this.#way(['relay'], said, via)) }
    return { routes: [...routes, usual], tlsPolicies: policiesOf(said.tls_policy) }
  }

  async #routes(said: readonly RouteSaid[]): Promise<RouteConfig[]> {
    const routes: RouteConfig[] = []
    for (const [index, each] of said.entries()) {
      const at: Path = ['relay', 'route', index]
      const name = each.name ?? `route${index + 1}`
      if (routes.some((other) => other.name === name))
        this.#problems.add([...at, 'name'], `a route is named '${name}' already; take another name`)
      const match = this.#match(at, each)
      if (each.via === undefined) this.#noVia(at, 'say where this mail goes')
      else routes.push({ name, match, ...(await this.#way(at, each, each.via)) })
    }
    return routes
  }

  #match(at: Path, said: RouteSaid): RouteConfig['match'] {
    const { sender_domain: senderDomains = [], recipient_domain: recipientDomains = [] } = said
    const match = { senderDomains, recipientDomains, users: said.user ?? [] }
    if (Object.values(match).every((each) => each.length === 0)) {
      const what =
        'this route says for which mail it is; add sender_domain, recipient_domain or user'
      if (!MATCHES.some((key) => this.#source.says([...at, key]))) this.#problems.add(at, what)
    }
    return match
  }

  async #way(
    at: Path,
    said: WaySaid,
    hops: readonly ('mx' | Smarthost)[],
  ): Promise<Omit<RouteConfig, 'name' | 'match'>> {
    const smarthosts = hops.filter((hop) => hop !== 'mx')
    const mx = smarthosts.length < hops.length
    if (mx && hops.length > 1)
      this.#problems.add([...at, 'via'], '"mx" stands alone; remove it or the others')
    this.#checkTls(at, said, smarthosts)
    return {
      via: mx ? 'mx' : smarthosts,
      secret: await this.#secret(at, said, smarthosts),
      tls: said.tls,
      ca: said.ca === undefined ? null : await this.#file([...at, 'ca'], said.ca),
      concurrency: said.concurrency ?? (mx ? MX_CONCURRENCY : SMARTHOST_CONCURRENCY),
      rate: said.rate ?? null,
    }
  }

  async #secret(at: Path, said: WaySaid, hops: readonly Smarthost[]): Promise<SecretConfig | null> {
    const { password_file: password, token_file: token } = said
    const user = hops.find((hop) => hop.user !== null)
    if (password !== undefined && token !== undefined)
      this.#problems.add([...at, 'token_file'], 'beside password_file; keep one of both')
    const file = password ?? token
    const kind = password === undefined ? 'token' : 'password'
    const key: Path = [...at, `${kind}_file`]
    if (user === undefined && file !== undefined) {
      const what = `nobody logs in with it: write the user into via, as in smtps://joe@host`
      this.#problems.add(key, what)
    }
    if (user !== undefined && file === undefined) {
      const what = `no password for ${formatSmarthost(user)}: write it into a file (mode 600) and say password_file = "FILE"`
      this.#problems.add([...at, 'via'], what)
    }
    if (file === undefined) return null
    const path = await this.#file(key, file)
    await this.#mustBeSecret(key, path)
    return { kind, file: path }
  }

  #checkTls(at: Path, { tls }: WaySaid, hops: readonly Smarthost[]): void {
    if (tls !== 'never') return
    for (const hop of hops) {
      const name = formatSmarthost(hop)
      const key: Path = [...at, 'tls']
      if (hop.scheme === 'smtps') this.#problems.add(key, `${name} is TLS; write smtp:// instead`)
      else if (hop.user !== null && !isLoopback(hop))
        this.#problems.add(key, `the password for ${name} would go out in clear; use "auto"`)
    }
  }

  /** Of a via that is there and wrong, enough was said. */
  #noVia(at: Path, remedy: string): void {
    if (this.#source.says([...at, 'via'])) return
    this.#problems.add(at, `via is missing; ${remedy}, such as via = ["smtp://host"] or ["mx"]`)
  }

  async #file(at: Path, said: string): Promise<string> {
    const path = resolve(this.#source.directory(at), said)
    if ((await modeOf(path)) === 'nothing')
      this.#problems.add(at, `${path}: no such file; make it or correct the path`)
    return path
  }

  async #mustBeSecret(at: Path, path: string): Promise<void> {
    const mode = await modeOf(path)
    if (typeof mode !== 'number' || (mode & WORLD) === 0) return
    this.#problems.add(at, `${path}: everybody on this machine gets at it; run: chmod 600 ${path}`)
  }
}

const MATCHES = ['sender_domain', 'recipient_domain', 'user']

function policiesOf(said: RelaySaid['tls_policy']): TlsPolicyConfig[] {
  return Object.entries(said).map(([name, tls]) => ({ domain: parseDomainPattern(name)!, tls }))
}

/** What may be there but hidden is not judged: `null`. */
async function modeOf(path: string): Promise<number | 'nothing' | null> {
  try {
    return (await stat(path)).mode
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    return ['ENOENT', 'ENOTDIR'].includes(code) ? 'nothing' : null
  }
}
