/** Whether words in clear stay on this machine: a condition for sending passwords without TLS. */

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[?::1\]?)$/

/** @param host a name or an address, as in a URL */
export function isThisMachine(host: string): boolean {
  return LOOPBACK.test(host)
}
