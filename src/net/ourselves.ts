/** Tells whether an address and port lead back to this server. */
import { networkInterfaces } from 'node:os'
import type { TcpEndpoint } from './endpoint.js'
import { formatIp, octetsOf } from './ip.js'
import { isThisMachine } from './this-machine.js'

/** Connecting to them is connecting to this machine, and listening at them is listening at all of its addresses. */
const UNSPECIFIED: readonly (string | null)[] = [null, '0.0.0.0', '::']

/**
 * @param listening where we take mail
 * @param address IP address that somebody would connect to
 */
export function leadsHere(
  listening: readonly Pick<TcpEndpoint, 'host' | 'port'>[],
  address: string,
  port: number,
): boolean {
  const mine = listening.filter((endpoint) => endpoint.port === port)
  if (mine.length === 0) return false
  const to = canonical(address)
  if (mine.some(({ host }) => host !== null && canonical(host) === to)) return true
  const all = mine.some(({ host }) => UNSPECIFIED.includes(host))
  return UNSPECIFIED.includes(to) || (all && isOwnAddress(to))
}

/**
 * True if connecting to that IP address never leaves this machine, however it is written and
 * whoever listens there: a mail server of this machine may trust whoever comes that way.
 */
export function staysHere(address: string): boolean {
  const to = canonical(address)
  return isThisMachine(to) || UNSPECIFIED.includes(to)
}

function isOwnAddress(address: string): boolean {
  if (isThisMachine(address)) return true
  const interfaces = Object.values(networkInterfaces()).flatMap((each) => each ?? [])
  return interfaces.some((each) => canonical(each.address) === address)
}

/** What is no address stays what it is, and is nobody's. */
function canonical(address: string): string {
  const octets = octetsOf(address)
  return octets === null ? address : formatIp(octets)
}
