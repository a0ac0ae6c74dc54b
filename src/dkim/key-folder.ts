/** Where the keys of a domain lie. */
import { join } from 'node:path'

/** What the config says of our domains. */
export interface OwnDomains {
  readonly domains: Readonly<Record<string, { readonly path: string }>>
  /** Another name → the domain that it stands for. */
  readonly aliasDomains: Readonly<Record<string, string>>
}

/** The same for all names of a domain; `null` if it is not ours. */
export function keyFolder({ domains, aliasDomains }: OwnDomains, name: string): string | null {
  const domain = Object.hasOwn(aliasDomains, name) ? aliasDomains[name]! : name
  return Object.hasOwn(domains, domain) ? join(domains[domain]!.path, '.dkim') : null
}
