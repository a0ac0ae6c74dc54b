/** What people type as their login. */
import { parseAddress, parseLocal, type Address } from '../mail/address.js'

/** See Directory.qualify. */
export function qualify(login: string, defaultDomain: string | null): Address | null {
  const address = parseAddress(login)
  if (address !== null || defaultDomain === null) return address
  const local = parseLocal(login)
  return local === null ? null : { local, domain: defaultDomain }
}
