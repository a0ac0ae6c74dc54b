/** What `mailtap check` tells of each domain: its directories, its users, and so on. */
import { lstat, opendir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config, DomainConfig } from '../src/config/config.js'
import { localOf } from '../src/directory/key.js'
import { Users } from '../src/directory/users.js'
import { checkAliases } from './check-aliases.js'
import { checkForwards } from './check-forwards.js'
import { checkDirectory, missing } from './check-directory.js'
import { checkUser } from './check-user.js'
import type { Findings } from './findings.js'

/** Who gets mail that is about the domain (RFC 5321 section 4.5.1). */
const POSTMASTER = 'postmaster'

export async function checkDomains(config: Config, findings: Findings): Promise<void> {
  for (const [name, domain] of Object.entries(config.domains)) {
    await findings.attempt(name, () => checkDomain(name, domain, findings))
    await findings.attempt(domain.aliases, () => checkAliases(config, name, findings))
    await findings.attempt(name, () => checkForwards(config, name, findings))
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
  if (!(await lstat(folder)).isDirectory())
    findings.error(
      `${folder}: a link or a file, not a directory; remove it, 'mailtap user' refuses it`,
    )
  await checkDirectory(folder, findings)
  await checkFiles(folder, name, new Users(path), findings)
  await checkPostmaster(name, new Users(path), findings)
}

async function checkFiles(
  folder: string,
  domain: string,
  users: Users,
  findings: Findings,
): Promise<void> {
  for await (const { name } of await opendir(folder)) {
    if (name.startsWith('.')) continue
    const local = localOf(name)
    const file = join(folder, name)
    if (local === null)
      findings.error(
        `${file}: this name can not be a user's, or is not UTF-8; rename it, see 'mailtap user add'`,
      )
    else await findings.attempt(file, () => checkUser(file, { local, domain }, users, findings))
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
