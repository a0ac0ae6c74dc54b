/**
 * What TLS is asked of one mail server: what the administrator wants for the destination,
 * made stronger by what the destination itself says through DANE (RFC 7672) and MTA-STS
 * (RFC 8461), and what REQUIRETLS (RFC 8689 section 4.2.1) leaves of it. `auto` and `encrypt`
 * grow stronger, the others say exactly what is meant; `dane` insists on DANE.
 */
import { type Log, reason } from '../log/log.js'
import { Refusal } from '../mail/refusal.js'
import { type DaneFinding, findDane } from './dane.js'
import { type Dns, DnsFailure } from './dns.js'
import type { TlsDemand } from './hop.js'
import type { StsFinding } from './mta-sts.js'
import { allowsHost } from './mta-sts-policy.js'
import type { DestinationTls } from './routes.js'

/** A mail server that has been found in the DNS. */
export interface FoundHost {
  readonly name: string
  /** What the name stands for, itself if it is no alias. */
  readonly canonical: string
  /** The record that named it is signed. */
  readonly named: boolean
  /** Its addresses are signed. */
  readonly addressed: boolean
}

/** The destination, as far as it decides about TLS. */
export interface TlsCase {
  readonly domain: string
  readonly policy: DestinationTls
  /** What MTA-STS says of the domain. */
  readonly sts: StsFinding
  readonly requireTls: boolean
  readonly port: number
}

/** True if what MTA-STS says of the destination counts. */
export function asksMtaSts(policy: DestinationTls, requireTls: boolean): boolean {
  return policy === 'auto' || policy === 'encrypt' || (policy === 'may' && requireTls)
}

export class TlsChoice {
  readonly #dns: Dns
  readonly #log: Log

  constructor(dns: Dns, log: Log) {
    this.#dns = dns
    this.#log = log
  }

  /** @returns why this server is not to be used, if it is not */
  async demand(host: FoundHost, about: TlsCase): Promise<TlsDemand | Refusal> {
    const { policy, domain, requireTls } = about
    if (policy === 'never') return requireTls ? unverifiable(domain) : { kind: policy }
    if (policy === 'verify') return { kind: policy, names: namesOf(host, domain), ca: null }
    if (policy === 'may' && !requireTls) return { kind: policy }
    return this.#strongest(host, about)
  }

  async #strongest(host: FoundHost, about: TlsCase): Promise<TlsDemand | Refusal> {
    const enforced = this.#enforced(host, about)
    if (enforced instanceof Refusal) return enforced
    const dane = await this.#dane(host, about.port)
    if (dane instanceof Refusal) return dane
    if (dane.kind === 'usable') {
      // RFC 7672 section 3.2.2. RFC 8461 section 2: MTA-STS does not stand in for a DANE that fails.
      const names = [...new Set([dane.base, host.name, about.domain])]
      return { kind: 'dane', names, records: dane.records }
    }
    if (enforced) return { kind: 'verify', names: [host.name], ca: null }
    return withoutProof(dane, about)
  }

  /** Whether the certificate must be good for the name, by MTA-STS. */
  #enforced({ name }: FoundHost, { domain, sts, requireTls }: TlsCase): boolean | Refusal {
    const { policy } = sts
    if (policy === null || policy.mode === 'none') return false
    const allowed = allowsHost(policy, name.toLowerCase())
    // In testing its list of servers still tells which names are the domain's own.
    const strict = policy.mode === 'enforce' || requireTls
    if (!strict && !allowed) this.#log.info('mta-sts would refuse', { domain, host: name })
    if (strict && !allowed) return notInPolicy(domain, name)
    return strict
  }

  /** RFC 7672 section 2.2: only where all is signed that led to the server. */
  async #dane(host: FoundHost, port: number): Promise<DaneFinding | Refusal> {
    if (!host.named || !host.addressed) return { kind: 'none' }
    try {
      return await findDane(this.#dns, host, port)
    } catch (error) {
      if (!(error instanceof DnsFailure)) throw error
      this.#log.info('dane lookup failed', { host: host.name, why: reason(error) })
      return new Refusal(451, '4.7.5', `the TLSA record of ${host.name} cannot be had now`)
    }
  }
}

/** Neither DANE nor MTA-STS tells who the server is. */
function withoutProof(dane: DaneFinding, about: TlsCase): TlsDemand | Refusal {
  const { domain, policy, sts, requireTls } = about
  if (policy === 'dane')
    return new Refusal(
      451,
      '4.7.5',
      `DANE is demanded for ${domain}, which has none that is signed`,
    )
  if (requireTls && sts.certain) return unverifiable(domain)
  if (requireTls)
    return new Refusal(451, '4.7.5', `the MTA-STS policy of ${domain} cannot be had now`)
  return { kind: policy === 'encrypt' || dane.kind === 'unusable' ? 'encrypt' : 'may' }
}

/** Anybody can name any server in an MX record that is not signed, and get a certificate for it. */
function namesOf(host: FoundHost, domain: string): string[] {
  const known = host.named || host.name.endsWith(`.${domain}`)
  return [...new Set(known ? [host.name, domain] : [domain])]
}

/** RFC 8689 section 4.2.1. For good: the sender wants it told rather than sent like this. */
function unverifiable(domain: string): Refusal {
  const text = `REQUIRETLS: nothing proves who the mail servers of ${domain} are (MTA-STS, DANE)`
  return new Refusal(550, '5.7.30', text)
}

function notInPolicy(domain: string, host: string): Refusal {
  return new Refusal(451, '4.7.5', `the MTA-STS policy of ${domain} does not name ${host}`)
}
