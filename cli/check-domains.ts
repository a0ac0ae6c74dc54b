/** What `mailtap check` tells of each domain: its directories, users and aliases. */
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../maildir/maildir.js'
import type { Config, DomainConfig } from '../src/config/config.js'
import { AliasFile } from '../src/directory/alias-file.js'
import type { Alias } from '../src/directory/aliases.js'
import { localOf } from '../src/directory/key.js'
import type { UserFile } from '../src/directory/user-file.js'
import { Users } from '../src/directory/users.js'
import { silent } from '../src/log/log.js'
import { checkDirectory, missing, octal, OTHERS } from './check-directory.js'
import type { Findings } from './findings.js'

/** Who gets mail that is about the domain (RFC 5321 section 4.5.1). */
const POSTMASTER = 'postmaster'

export async function checkDomains(config: Config, findings: Findings): Promise<void> {
  for (const [name, domain] of Object.entries(config.domains)) {
    await findings.attempt(name, () => checkDomain(name, domain, findings))
    await findings.attempt(domain.aliases, () => checkAliases(config, name, findings))
  }
}

async function checkDomain(
  name: string,
  { path }: DomainConfig,
  findings: Findings,
): Promise<void> {
  await checkDirectory(path, findings)
  const folder = join(path, '.users')
  if (await missing(folder)) {
    findings.error(
      `${folder}: no such directory, so nobody can log in; make a user: mailtap user add ${POSTMASTER}@${name}`,
    )
    return
  }
  await checkDirectory(folder, findings)
  await checkFiles(folder, new Users(path), findings)
  await checkPostmaster(name, new Users(path), findings)
}

async function checkFiles(folder: string, users: Users, findings: Findings): Promise<void> {
  for await (const { name } of await opendir(folder)) {
    if (name.startsWith('.')) continue
    const local = localOf(name)
    const file = join(folder, name)
    if (local === null)
      findings.error(`${file}: this name can not be a user's; see 'mailtap user add'`)
    else await findings.attempt(file, () => checkUser(file, local, users, findings))
  }
}

async function checkUser(
  file: string,
  local: string,
  users: Users,
  findings: Findings,
): Promise<void> {
  const user = await readUser(users, local, findings, file)
  if (user === null) return
  for (const key of user.unsupported)
    findings.warning(`${file}: ${key} has no effect in this version`)
  const { mode } = await lstat(file)
  if ((mode & OTHERS) === 0) return
  findings.warning(
    `${file}: more than its owner may read it (mode ${octal(mode)}); run: chmod 600 ${file}`,
  )
}

/** What the directory says in a plain error is meant for people. */
async function readUser(
  users: Users,
  local: string,
  findings: Findings,
  file: string,
): Promise<UserFile | null> {
  try {
    return await users.readPrivate(local)
  } catch (error) {
    if (errorCode(error) !== undefined || !(error instanceof Error)) throw error
    findings.error(error.message.includes(file) ? error.message : `${file}: ${error.message}`)
    return null
  }
}

async function checkPostmaster(name: string, users: Users, findings: Findings): Promise<void> {
  // A file that can not be read was told of above.
  const user = await users.read(POSTMASTER).catch(() => undefined)
  if (user === undefined || (user !== null && user.password !== null && !user.disabled)) return
  const remedy = user === null ? 'add' : 'passwd'
  findings.warning(
    `${POSTMASTER}@${name}: nobody can log in to read its mail; run: mailtap user ${remedy} ${POSTMASTER}@${name}`,
  )
}

async function checkAliases(config: Config, name: string, findings: Findings): Promise<void> {
  const { aliases: file } = config.domains[name]!
  try {
    const aliases = await new AliasFile(file, silent, () => 0).read()
    for (const alias of aliases.values()) checkAlias(alias, config, findings)
  } catch (error) {
    if (errorCode(error) !== undefined || !(error instanceof Error)) throw error
    findings.error(error.message)
  }
}

function checkAlias({ at, name, targets }: Alias, config: Config, findings: Findings): void {
  for (const target of targets) {
    if (target.kind === 'undeliverable')
      findings.error(`${at}: ${name}: ${target.why}; its mail waits`)
    else if (target.domain !== null && !Object.hasOwn(config.domains, target.domain)) {
      const what = `${target.domain} is no domain of this server, and relaying is not in this version yet`
      findings.error(`${at}: ${name}: ${what}; its mail waits`)
    }
  }
}
