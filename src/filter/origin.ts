/** What the IP address of a client tells: whose it is, its network, its name in DNS lists (RFC 5782 section 2). */
import type { Client } from '../mail/envelope.js'
import { networkOf, octetsOf } from '../net/ip.js'
import { Networks } from '../net/networks.js'

/** Loopback, link-local, private (RFC 1918, 4193) and shared (RFC 6598): nobody on the Internet has these. */
const NEAR = new Networks([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '::/127',
  'fc00::/7',
  'fe80::/10',
])
/** Whoever has one address of these has them all. */
const ONE_HAND = { ip4: 24, ip6: 64 }

/** A client from the Internet that did not log in: its address, or `null` for all others. */
export function strangerAddress({ address, user }: Client): string | null {
  const known = user !== null || octetsOf(address) === null || NEAR.has(address)
  return known ? null : address
}

/** The network of an IP address, as `192.0.2.0/24` or `2001:db8::/64`. */
export function networkOfStranger(address: string): string {
  return networkOf(address, ONE_HAND) ?? address
}

/** `7.2.0.192` for 192.0.2.7; for IPv6 all 32 digits, each a label. */
export function reversed(address: string): string {
  const octets = octetsOf(address) ?? Buffer.alloc(0)
  const labels = octets.length === 4 ? [...octets].map(String) : octets.toString('hex').split('')
  return labels.toReversed().join('.')
}
