/** What `mailtap check` tells of a domain's aliases: each one is followed to its end. */
import { errorCode } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import { AliasFile } from '../src/directory/alias-file.js'
import type { Alias } from '../src/directory/aliases.js'
import type { Directory } from '../src/directory/directory.js'
import { FilesDirectory } from '../src/directory/files.js'
import { silent } from '../src/log/log.js'
import { formatAddress, type Address } from '../src/mail/address.js'
import { Refusal } from '../src/mail/refusal.js'
import type { Findings } from './findings.js'

/** Mail to them is taken while their aliases are broken, so following these tells nothing. */
const ALWAYS_TAKEN = ['postmaster', 'abuse']

export async function checkAliases(
  config: Config,
  domain: string,
  findings: Findings,
): Promise<void> {
  const { aliases: file } = config.domains[domain]!
  const directory = new FilesDirectory({ ...config, log: silent })
  const told = new Set<string>()
  const tell = (line: string): void => {
    // An alias of a broken alias is broken in the same place.
    if (!told.has(line)) findings.error(line)
    told.add(line)
  }
  try {
    const aliases = await new AliasFile(file, silent, () => 0).read()
    for (const alias of aliases.values())
      for (const line of await problemsOf(alias, domain, config, directory)) tell(line)
  } catch (error) {
    if (errorCode(error) !== undefined || !(error instanceof Error)) throw error
    findings.error(error.message)
  }
}

async function problemsOf(
  alias: Alias,
  domain: string,
  config: Config,
  directory: Directory,
): Promise<string[]> {
  const { at, name } = alias
  const found = targetProblems(alias, config)
  if (found.length > 0) return found
  const self = { local: name, domain }
  if (!ALWAYS_TAKEN.includes(name)) return follow(self, `${at}: ${name}`, directory)
  const lines: string[] = []
  for (const target of alias.targets) {
    if (target.kind !== 'address') continue
    const address = { local: target.local, domain: target.domain ?? domain }
    lines.push(...(await follow(address, `${at}: ${name}`, directory)))
  }
  return lines
}

/** What can be seen without looking further. */
function targetProblems({ at, name, targets }: Alias, config: Config): string[] {
  return targets.flatMap((target) => {
    if (target.kind === 'undeliverable') return [`${at}: ${name}: ${target.why}; its mail waits`]
    if (target.kind !== 'address' || target.domain === null || Object.hasOwn(config.domains, target.domain)) return []
    const what = `${target.domain} is no domain of this server, and relaying is not in this version yet`
    return [`${at}: ${name}: ${what}; its mail waits`]
  })
}

/** @param where for messages that do not tell it themselves */
async function follow(address: Address, where: string, directory: Directory): Promise<string[]> {
  try {
    const targets = await directory.resolve(address)
    return targets.length > 0 ? [] : [`${where}: there is no ${formatAddress(address)}`]
  } catch (error) {
    // A user file that can not be read is told of where users are looked at.
    if (!(error instanceof Refusal)) return []
    const what = error.cause instanceof Error ? error.cause.message : error.message
    const told = /^\S+:\d+: /.test(what) ? what : `${where}: ${what}`
    return [`${told}; its mail waits`]
  }
}
