/** Which servers take the mail of a domain, and where they are: RFC 5321 section 5.1, RFC 7505. */
import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import { Refusal } from '../mail/refusal.js'
import { type Dns, type DnsAnswer, DnsFailure } from './dns.js'
import { isDnsName } from './dns-wire.js'

/** Addresses of one server that are tried. */
const MAX_ADDRESSES = 6

export interface MxHost {
  readonly preference: number
  readonly name: string
  /** The record that names it is signed. */
  readonly named: boolean
}

export interface HostAddresses {
  /** IPv6 and IPv4 by turns. At least one. */
  readonly addresses: readonly string[]
  /** All of them are signed. */
  readonly addressed: boolean
  /** What the name stands for, itself if it is no alias. */
  readonly canonical: string
}

/**
 * @returns best first, in no order where the preference is the same, whoever they are: also
 * ourselves; or why there is none
 * @throws DnsFailure when the DNS cannot tell
 */
export async function findHosts(dns: Dns, domain: string): Promise<readonly MxHost[] | Refusal> {
  const { records, authentic } = await dns.lookup(domain, 'MX')
  // A name without MX is its own server. It is asked for even if it is said not to be: some servers lie.
  if (records.length === 0) return [{ preference: 0, name: domain, named: authentic }]
  // RFC 7505 section 3: the root stands alone; beside others it is just no server.
  if (records.every(({ exchange }) => exchange === '')) return takesNoMail(domain)
  const hosts = records
    .filter(({ exchange }) => isDnsName(exchange) && !isNumber(exchange))
    .map(({ preference, exchange }) => ({ preference, name: exchange, named: authentic }))
  if (hosts.length === 0) return noServer(domain)
  return shuffled(hosts).toSorted((one, other) => one.preference - other.preference)
}

/**
 * @returns `null` if the name has no address
 * @throws DnsFailure when none is known and the DNS cannot tell
 */
export async function addressesOf(dns: Dns, name: string): Promise<HostAddresses | null> {
  const asked = await Promise.allSettled([dns.lookup(name, 'AAAA'), dns.lookup(name, 'A')])
  const found = asked.flatMap((result) => answerIn(result))
  const [six = [], four = []] = asked.map((result) => answerIn(result)[0]?.records ?? [])
  const addresses = byTurns(shuffled(six), shuffled(four)).slice(0, MAX_ADDRESSES)
  if (addresses.length === 0) {
    for (const result of asked) if (result.status === 'rejected') throw result.reason
    return null
  }
  const used = found.filter(({ records }) => records.length > 0)
  const addressed = used.every(({ authentic }) => authentic)
  return { addresses, addressed, canonical: used[0]!.name }
}

/** One family that the DNS cannot tell of does not make the other one useless; other faults do. */
function answerIn(result: PromiseSettledResult<DnsAnswer<string>>): DnsAnswer<string>[] {
  if (result.status === 'fulfilled') return [result.value]
  if (!(result.reason instanceof DnsFailure)) throw result.reason
  return []
}

/** RFC 3463: 5.1.2. @param domain has neither MX nor address */
export function noSuchDomain(domain: string): Refusal {
  const text = `the domain ${domain} does not exist or takes no mail; check its spelling`
  return new Refusal(550, '5.1.2', text)
}

/** Every MX names something that is no mail server. */
export function noServer(domain: string): Refusal {
  return new Refusal(550, '5.4.4', `no MX of ${domain} names a server that exists`)
}

/** RFC 7505 section 4.2. */
function takesNoMail(domain: string): Refusal {
  return new Refusal(556, '5.1.10', `the domain ${domain} takes no mail (null MX)`)
}

/** An address where a name should be (RFC 2181 section 10.3): no such top-level domain exists. */
const isNumber = (name: string): boolean => isIP(name) !== 0 || /(?:^|\.)\d+$/.test(name)

function byTurns(one: readonly string[], other: readonly string[]): string[] {
  const length = Math.max(one.length, other.length)
  return Array.from({ length }, (_, at) => [one[at], other[at]])
    .flat()
    .filter((address) => address !== undefined)
}

function shuffled<T>(things: readonly T[]): T[] {
  const mixed = [...things]
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = randomInt(at + 1)
    ;[mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!]
  }
  return mixed
}
