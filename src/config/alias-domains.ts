/** The domains that are other names of a domain: `alias_of = "example.com"`. */
import { parseDomain } from '../mail/address.js'
import type { Problems } from './config-error.js'
import type { Settings } from './schema.js'
import type { Path, Source } from './source.js'

type Table = Settings['domains'][string]

/** What would have no effect beside `alias_of`. */
const OWN: readonly (keyof Table)[] = [
  'path',
  'bounce_to_postmaster',
  'catch_all',
  'aliases',
  'quota',
  'deliver',
  'tls',
]

/**
 * @param domains the domains that have a directory
 * @returns by alias domain the domain that it stands for, both in canonical form
 */
export function aliasDomains(
  settings: Settings,
  domains: readonly string[],
  source: Source,
  problems: Problems,
): Record<string, string> {
  const found = new Map<string, string>()
  for (const [said, table] of Object.entries(settings.domains)) {
    if (table.alias_of === undefined) continue
    const at: Path = ['domains', said]
    for (const key of OWN.filter((own) => source.says([...at, own]))) {
      problems.add([...at, key], `${key} has no effect beside alias_of; remove one of both`)
    }
    const name = nameOf(said, [...domains, ...found.keys()])
    if (typeof name !== 'string') problems.add(at, name.problem)
    const target = parseDomain(table.alias_of)
    if (target === null || !domains.includes(target)) {
      const what = `'${table.alias_of}' is none of the domains here that have a path: ${domains.join(', ')}`
      problems.add([...at, 'alias_of'], what)
    } else if (typeof name === 'string') found.set(name, target)
  }
  return Object.fromEntries(found)
}

function nameOf(said: string, others: readonly string[]): string | { readonly problem: string } {
  const name = parseDomain(said)
  if (name === null) return { problem: `'${said}' is no domain name` }
  if (!others.includes(name)) return name
  return { problem: `'${said}' is ${name}, which is there already; keep one` }
}
