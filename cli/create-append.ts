/** `create --append`: what may be added to a config that is there, and what it says already. */
import { resolve } from 'node:path'
import type { Config } from '../src/config/config.js'
import { tomlValue } from '../src/config/edit.js'
import { overlap, realPath } from '../src/config/overlap.js'
import { PROTOCOLS } from '../src/config/protocols.js'
import { readSource } from '../src/config/read.js'
import { formatPlace, type Path, type Source } from '../src/config/source.js'
import { parseDomain } from '../src/mail/address.js'
import { parseToml, TomlError } from '../src/toml/toml.js'
import type { Given } from './command.js'
import type { CreatePlan, DomainPlan } from './create-plan.js'
import { Exit, Failure, usage } from './exit.js'
import { warn } from './terminal.js'

/** Options about the whole server, with their keys. */
const SERVER: readonly (readonly [option: string, path: Path])[] = [
  ['default-domain', ['default_domain']],
  ['hostname', ['hostname']],
  ['state', ['state']],
  ['auth', ['auth']],
  ...PROTOCOLS.map((protocol) => [protocol, ['listen', protocol]] as const),
  ['tls-cert', ['tls', 'cert']],
  ['tls-key', ['tls', 'key']],
  ['relay', ['relay', 'via']],
  ['relay-password-file', ['relay', 'password_file']],
]

/** @throws Failure when something asked for is there, or can not be said at the end of a file */
export async function checkAppend(given: Given, plan: CreatePlan, old: Config): Promise<void> {
  const source = await readSource(plan.output)
  for (const domain of plan.domains) await checkDomain(domain, old, source)
  for (const [option, path] of SERVER) if (given.has(option)) refuse(option, path, given, source)
}

/** Warns when the only domain was the default one and will no longer be alone. */
export async function warnOfBareLogins(output: string, old: Config): Promise<void> {
  const source = await readSource(output)
  if (old.defaultDomain === null || source.says(['default_domain'])) return
  warn(
    `logins without @domain belonged to ${old.defaultDomain}, the only domain, and will belong to none; ` +
      `to keep that, write at the top of ${output}: default_domain = ${tomlValue(old.defaultDomain)}`,
  )
}

/**
 * @returns the text
 * @throws Failure when the old text is written so that nothing can follow it
 */
export function checkAppended(text: string, file: string): string {
  try {
    parseToml(text, file)
    return text
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const what = `${file}: its domains are written so that --append can not add one; add it by hand`
    throw new Failure(Exit.cannotCreate, what, { cause: error })
  }
}

async function checkDomain(domain: DomainPlan, old: Config, source: Source): Promise<void> {
  const place = await realPath(resolve(domain.path))
  for (const [name, { path }] of Object.entries(old.domains)) {
    if (name === domain.name) {
      const what = `${where(source, name)}: ${name} is there already; for more users: mailtap user add NAME@${name}`
      throw new Failure(Exit.cannotCreate, what)
    }
    if (overlap(place, await realPath(path))) {
      const what = `${where(source, name)}: ${name} has the directory ${path}; give ${domain.name} its own`
      throw new Failure(Exit.cannotCreate, what)
    }
  }
}

/** The place of a domain, however it is spelled in the file. */
function where(source: Source, name: string): string {
  const domains = Object.keys(source.value['domains'] ?? {})
  const said = domains.find((each) => parseDomain(each) === name) ?? name
  return formatPlace(source.where(['domains', said]))
}

function refuse(option: string, path: Path, given: Given, source: Source): never {
  const place = formatPlace(source.where(path))
  const key = path.join('.')
  if (source.says(path)) {
    throw usage(
      `--${option}: ${place}: ${key} is set there already; change it there, or leave the option out`,
    )
  }
  const value = given.last(option) ?? '...'
  throw usage(
    `--${option}: --append adds domains and users only; write ${key} into ${place} by hand (${value})`,
  )
}
