/** What `mailtap check` tells of a domain's aliases: each one is followed to its end. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { errorCode } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import { AliasFile } from '../src/directory/alias-file.js'
import type { Alias } from '../src/directory/aliases.js'
import type { AliasTarget } from '../src/directory/alias-target.js'
import type { Directory } from '../src/directory/directory.js'
import { FilesDirectory } from '../src/directory/files.js'
import { reason, silent } from '../src/log/log.js'
import { formatAddress, type Address } from '../src/mail/address.js'
import { Refusal } from '../src/mail/refusal.js'
import type { Findings } from './findings.js'

/** Mail to them is taken while their aliases are broken, so following these tells nothing. */
const ALWAYS_TAKEN = ['postmaster', 'abuse']

/** Where mail can go. */
export interface Ways {
  readonly directory: Directory
  /** Mail for other domains can leave from here. */
  readonly relays: boolean
}

export function waysOf(config: Config): Ways {
  const directory = new FilesDirectory({ ...config, log: silent })
  return { directory, relays: config.relay.routes.length > 0 }
}

export async function checkAliases(
  config: Config,
  domain: string,
  findings: Findings,
): Promise<void> {
  const { aliases: file, catchAll } = config.domains[domain]!
  const ways = waysOf(config)
  const told = new Set<string>()
  const tell = (line: string): void => {
    // An alias of a broken alias is broken in the same place.
    if (!told.has(line)) findings.error(line)
    told.add(line)
  }
  try {
    const aliases = await new AliasFile(file, silent, () => 0).read()
    for (const alias of aliases.values())
      for (const line of await problemsOf(alias, domain, ways)) tell(line)
  } catch (error) {
    if (errorCode(error) !== undefined || !(error instanceof Error)) throw error
    findings.error(error.message)
  }
  if (catchAll === null) return
  for (const line of await addressProblems(catchAll, `catch_all of ${domain}`, ways)) tell(line)
}

/**
 * What is wrong with where mail for an address goes.
 * @param where for messages that do not tell it themselves
 */
export async function addressProblems(
  address: Address,
  where: string,
  { directory, relays }: Ways,
): Promise<string[]> {
  const elsewhere = (to: Address): string[] => (relays ? [] : [noRelay(where, to)])
  if (!(await directory.owns(address.domain))) return elsewhere(address)
  try {
    const targets = await directory.resolve(address)
    if (targets.length === 0) return [`${where}: there is no ${formatAddress(address)}`]
    return targets.flatMap((target) => (target.kind === 'remote' ? elsewhere(target.address) : []))
  } catch (error) {
    return refusalProblem(error, where)
  }
}

async function problemsOf(alias: Alias, domain: string, ways: Ways): Promise<string[]> {
  const { at, name, targets } = alias
  const where = `${at}: ${name}`
  const found = (await Promise.all(targets.map((target) => programProblem(target, where)))).flat()
  if (found.length > 0) return found
  const self = { local: name, domain }
  if (!ALWAYS_TAKEN.includes(name)) return addressProblems(self, where, ways)
  const lines: string[] = []
  for (const target of targets) {
    if (target.kind === 'undeliverable') lines.push(`${where}: ${target.why}; its mail waits`)
    if (target.kind !== 'address') continue
    const address = { local: target.local, domain: target.domain ?? domain }
    lines.push(...(await addressProblems(address, where, ways)))
  }
  return lines
}

/** What no resolving shows. */
async function programProblem(target: AliasTarget, where: string): Promise<string[]> {
  if (target.kind === 'undeliverable') return [`${where}: ${target.why}; its mail waits`]
  if (target.kind !== 'program') return []
  const [program = ''] = target.command
  try {
    await access(program, constants.X_OK)
    return []
  } catch (error) {
    return [`${where}: ${program} cannot be run (${errorCode(error)}); its mail waits`]
  }
}

function noRelay(where: string, address: Address): string {
  const what = `${formatAddress(address)} is at no domain of this server`
  return `${where}: ${what}, and there is no [relay] to send it on; its mail waits`
}

function refusalProblem(error: unknown, where: string): string[] {
  // A user file that can not be read is told of where users are looked at; ":fail:" and disabled users are meant.
  if (!(error instanceof Refusal) || !error.temporary) return []
  const what = error.cause === undefined ? error.message : reason(error.cause)
  const told = /^\S+:\d+: /.test(what) ? what : `${where}: ${what}`
  return [`${told}; its mail waits`]
}
