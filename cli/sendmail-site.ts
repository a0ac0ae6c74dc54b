/**
 * What sendmail must know of the server, for any user of the machine: no more of the config than
 * that, so that a mistake elsewhere in it, or a file that only the server may see, stops no mail.
 */
import { access } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { parseDomain } from '../src/mail/address.js'
import { readSource } from '../src/config/read.js'
import { salvage } from '../src/config/salvage.js'
import { checkForm, type Settings } from '../src/config/schema.js'
import type { Source } from '../src/config/source.js'
import { errorCode } from '../maildir/maildir.js'
import { Exit, Failure } from './exit.js'

/** Never the working directory: cron and web servers start sendmail in places where others may write. */
const PLACE = '/etc/mailtap/mailtap.toml'

export interface Site {
  readonly hostname: string
  /** Where names without a domain belong. */
  readonly origin: string
  readonly state: string
  /** Octets of the largest message on the wire. */
  readonly maxSize: number
  /** True if mail for that domain has a way. */
  reaches(domain: string): boolean
}

/** @throws Failure when there is none */
export async function sendmailConfig(said: string | null): Promise<string> {
  const file = said ?? process.env['MAILTAP_CONFIG'] ?? ''
  if (file !== '') return file
  try {
    await access(PLACE)
    return PLACE
  } catch (error) {
    const what = errorCode(error) === 'EACCES' ? 'cannot be read' : 'is not there'
    throw new Failure(
      Exit.badConfig,
      `${PLACE} ${what}; name the config with -C FILE or MAILTAP_CONFIG`,
      {
        cause: error,
      },
    )
  }
}

/** @throws Failure, ConfigError */
export async function readSite(file: string): Promise<Site> {
  const source = await readFile(file)
  const checked = checkForm(source.value)
  const settings = checked.settings ?? salvage(source.value, checked.problems)
  if (settings !== null) return siteOf(source, settings, checked.settings !== null)
  throw new Failure(Exit.badConfig, `${file}: not a config; 'mailtap check -c ${file}' tells more`)
}

async function readFile(file: string): Promise<Source> {
  try {
    return await readSource(file)
  } catch (error) {
    const code = errorCode(error)
    if (code === undefined) throw error
    const remedy = code === 'EACCES' ? 'let all users read it (chmod a+r), or ' : ''
    const what = `${file}: cannot be read (${code}); ${remedy}name another with -C FILE`
    throw new Failure(Exit.badConfig, what, { cause: error })
  }
}

/** @param whole false: something was left out, and might have been a domain or the relay */
function siteOf(source: Source, settings: Settings, whole: boolean): Site {
  const name = parseDomain(settings.hostname ?? hostname()) ?? 'localhost'
  const domains = Object.keys(settings.domains).flatMap((domain) => parseDomain(domain) ?? [])
  const { via, route = [] } = settings.relay ?? {}
  const relays = via !== undefined || route.length > 0 || !whole
  return {
    hostname: name,
    origin: originOf(name, domains, settings),
    state: resolve(source.directory(['state']), settings.state),
    maxSize: settings.limits.message_size,
    reaches: (domain) => relays || domains.includes(domain),
  }
}

/**
 * The host's name is seldom a domain that gets mail: mail from `root`, and what comes back of it,
 * belongs to the domain where logins without one belong.
 */
function originOf(name: string, domains: readonly string[], settings: Settings): string {
  if (domains.includes(name)) return name
  const said = settings.default_domain === undefined ? null : parseDomain(settings.default_domain)
  if (said !== null && domains.includes(said)) return said
  return domains.length === 1 ? domains[0]! : name
}
