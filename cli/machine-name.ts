/** The fully qualified name of this machine. */
import { lookup, lookupService } from 'node:dns/promises'
import { hostname } from 'node:os'
import { setTimeout as pause } from 'node:timers/promises'
import { parseDomain } from '../src/mail/address.js'

/** A resolver without a network may take minutes; nobody waits so long for a default. */
const PATIENCE_MS = 2_000

/** As the resolver and /etc/hosts know it, or the plain host name, or `localhost`. */
export async function machineName(): Promise<string> {
  const name = parseDomain(hostname()) ?? 'localhost'
  if (name.includes('.')) return name
  return (await Promise.race([qualified(name), pause(PATIENCE_MS, null, { ref: false })])) ?? name
}

async function qualified(name: string): Promise<string | null> {
  try {
    const { address } = await lookup(name)
    const found = parseDomain((await lookupService(address, 0)).hostname)
    return found?.startsWith(`${name}.`) === true ? found : null
  } catch {
    // Without a resolver there is the plain name.
    return null
  }
}
