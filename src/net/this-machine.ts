/** Tells clients of this machine from others. */
import { isIPv4 } from 'node:net'

/** @param address of a peer: loopback, or empty on a UNIX socket, which has none */
export function isThisMachine(address: string): boolean {
  return address === '' || address === '::1' || (isIPv4(address) && address.startsWith('127.'))
}
