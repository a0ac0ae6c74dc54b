/**
 * The servers that a domain's mail may be handed to, one address after the
 * other, each with what TLS is asked of it: RFC 5321 section 5.1.
 */
import { isIPv6 } from 'node:net'
import type { Log } from '../log/log.js'
import { reason } from '../log/log.js'
import { Refusal } from '../mail/refusal.js'
import { type Dns, DnsFailure } from './dns.js'
import type { Hop } from './hop.js'
import { addressesOf, findHosts, noServer, noSuchDomain } from './mx-hosts.js'
import type { IsOurselves } from './own-servers.js'
import type { HostAddresses, MxHost } from './mx-hosts.js'
import { type FoundHost, type TlsCase, TlsChoice } from './tls-policy.js'

/** Servers that are looked at, the best ones; a domain may have a thousand. */
const MAX_HOSTS = 10

/** Which servers are this one. */
export interface Ourselves {
  readonly isOurselves: IsOurselves
  /** A name of this server. */
  readonly isOurName: (name: string) => boolean
}

/** Where to, or why not there. */
export type Candidate = Hop | Refusal

interface Located extends MxHost {
  /** `null` = it has none; a Refusal = the DNS cannot tell. */
  readonly where: HostAddresses | Refusal | null
}

export class MxCandidates {
  readonly #dns: Dns
  readonly #tls: TlsChoice
  readonly #ourselves: Ourselves
  readonly #log: Log

  constructor(dns: Dns, ourselves: Ourselves, log: Log) {
    this.#dns = dns
    this.#tls = new TlsChoice(dns, log)
    this.#ourselves = ourselves
    this.#log = log
  }

  /**
   * Best first. Looks up no more than it has to.
   * @throws DnsFailure when the DNS cannot tell which servers there are
   */
  async *of(about: TlsCase): AsyncGenerator<Candidate, void, void> {
    const literal = addressIn(about.domain)
    if (literal !== null) yield* this.#literal(literal, about)
    else yield* this.#named(await findHosts(this.#dns, about.domain), about)
  }

  async *#named(
    hosts: readonly MxHost[] | Refusal,
    about: TlsCase,
  ): AsyncGenerator<Candidate, void, void> {
    if (hosts instanceof Refusal) {
      yield hosts
      return undefined
    }
    const others = this.#others(hosts)
    if (others.length === 0) yield loop(about.domain)
    for (const [at, group] of groups(others.slice(0, MAX_HOSTS)).entries()) {
      const located = await Promise.all(group.map((host) => this.#locate(host, about.domain)))
      if (located.some((host) => this.#isHere(host, about.port))) {
        if (at === 0) yield loop(about.domain)
        return undefined
      }
      for (const host of located) yield* this.#hops(host, about)
    }
    if (others.length > MAX_HOSTS) yield tooMany(about.domain)
    return undefined
  }

  /** Whoever is no better than we are would only send it to us (RFC 5321 section 5.1). */
  #others(hosts: readonly MxHost[]): readonly MxHost[] {
    const own = hosts.find(({ name }) => this.#ourselves.isOurName(name))
    return own === undefined ? hosts : hosts.filter((host) => host.preference < own.preference)
  }

  async *#literal(address: string, about: TlsCase): AsyncGenerator<Candidate, void, void> {
    const host = { name: address, canonical: address, named: false, addressed: false }
    if (this.#ourselves.isOurselves(address, about.port)) yield loop(about.domain)
    else yield* this.#withTls(host, [address], about)
  }

  async #locate(host: MxHost, domain: string): Promise<Located> {
    try {
      return { ...host, where: await addressesOf(this.#dns, host.name) }
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      this.#log.info('mx address unknown', { domain, host: host.name, why: reason(error) })
      const text = `the DNS cannot tell the address of ${host.name} now`
      return { ...host, where: new Refusal(451, '4.4.3', text) }
    }
  }

  #isHere({ where }: Located, port: number): boolean {
    if (where === null || where instanceof Refusal) return false
    return where.addresses.some((address) => this.#ourselves.isOurselves(address, port))
  }

  async *#hops(located: Located, about: TlsCase): AsyncGenerator<Candidate, void, void> {
    const { where, ...host } = located
    const { domain } = about
    if (where instanceof Refusal) yield where
    else if (where !== null) yield* this.#withTls({ ...host, ...where }, where.addresses, about)
    else yield host.name === domain ? noSuchDomain(domain) : noServer(domain)
  }

  async *#withTls(
    host: FoundHost,
    addresses: readonly string[],
    about: TlsCase,
  ): AsyncGenerator<Candidate, void, void> {
    const tls = await this.#tls.demand(host, about)
    if (tls instanceof Refusal) {
      yield tls
      return undefined
    }
    // RFC 7672: by SNI it is to hear the name that its TLSA records are found at.
    const name = tls.kind === 'dane' ? (tls.names[0] ?? host.name) : host.name
    for (const address of addresses) yield hopTo(name, address, about.port, tls)
    return undefined
  }
}

function hopTo(name: string, address: string, port: number, tls: Hop['tls']): Hop {
  return { protocol: 'smtp', name, address, port, implicitTls: false, tls, login: null }
}

/** Those of the same preference together. @param hosts in order */
function groups(hosts: readonly MxHost[]): MxHost[][] {
  const found: MxHost[][] = []
  for (const host of hosts) {
    const group = found.at(-1)
    if (group?.[0]?.preference === host.preference) group.push(host)
    else found.push([host])
  }
  return found
}

/** The address in a literal (RFC 5321 section 4.1.3); `null` if it is a domain. */
function addressIn(domain: string): string | null {
  const [, , address] = /^\[(ipv6:)?([0-9a-f.:]+)\]$/i.exec(domain) ?? []
  if (address === undefined) return null
  return isIPv6(address) ? address.toLowerCase() : address
}

/** RFC 5321 section 5.1: we are told to take it, but it is not ours. */
function loop(domain: string): Refusal {
  const text = `mail for ${domain} would come back to this server, which does not know the domain`
  return new Refusal(554, '5.4.6', text)
}

function tooMany(domain: string): Refusal {
  return new Refusal(451, '4.4.4', `none of the first ${MAX_HOSTS} mail servers of ${domain} works`)
}
