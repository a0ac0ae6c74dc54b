/** `mailtap create`: from one line to a config, domains and users. */
import { stat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Config } from '../src/config/config.js'
import { PROTOCOLS } from '../src/config/protocols.js'
import { writeSmallFile } from '../src/directory/small-file.js'
import { errorCode } from '../maildir/maildir.js'
import { authHelp } from './auth-types.js'
import { DRY_RUN, type Command, type Given } from './command.js'
import { changeConfig } from './config-lock.js'
import { checkAppend, warnOfBareLogins } from './create-append.js'
import { configText } from './create-text.js'
import { makeAll, passwordsFor, type NewAccounts } from './create-domains.js'
import { checkPlaces } from './create-places.js'
import { planOf, type CreatePlan } from './create-plan.js'
import { keepRelayPassword, passwordOfRelay, relayPasswordFile } from './create-relay.js'
import { Exit, Failure } from './exit.js'
import { isThere } from './make.js'
import { replaceFile } from './replace-file.js'
import { readConfig } from './settings.js'
import { say, warn } from './terminal.js'
import { checkTlsFiles } from './tls-files.js'

export const create: Command = {
  name: 'create',
  summary: 'make a config, its domains and users',
  options: [
    { flags: '-o, --output <file>', help: 'config to write (default: ./mailtap.toml)' },
    { flags: '-a, --append', help: 'add the domains to the config that is there' },
    { flags: '--force', help: 'replace the config that is there' },
    DRY_RUN,
    { flags: '-d, --domain <name=path>', help: 'virtual domain and its directory; repeatable' },
    { flags: '-u, --user <name[=password]>', help: 'make that user of the last -d; repeatable' },
    { flags: '--generate', help: 'make passwords and print them instead of asking' },
    {
      flags: '-b, --bounce-to-postmaster',
      help: 'unknown users of the last -d: to its postmaster',
    },
    { flags: '-C, --catch-all <address>', help: 'unknown users of the last -d: to this address' },
    {
      flags: '-A, --aliases <file>',
      help: 'aliases(5) file of the last -d (default: PATH/.aliases)',
    },
    { flags: '-D, --default-domain', help: 'logins without @domain belong to the last -d' },
    {
      flags: '-s, --smtp <endpoint>',
      help: 'listen for mail; repeatable, or none (default: 8025)',
    },
    { flags: '--submission <endpoint>', help: "listen for own users' mail, STARTTLS" },
    { flags: '--submissions <endpoint>', help: "listen for own users' mail, TLS" },
    { flags: '--lmtp <endpoint>', help: 'listen for LMTP' },
    {
      flags: '-p, --pop3 <endpoint>',
      help: 'listen for POP3; repeatable, or none (default: 8110)',
    },
    { flags: '--pop3s <endpoint>', help: 'listen for POP3 over TLS; repeatable' },
    { flags: '-H, --hostname <name>', help: 'name in banner, EHLO and Received' },
    { flags: '-R, --relay <url>', help: 'smarthost for mail to other domains, or mx; repeatable' },
    { flags: '--relay-password-file <file>', help: "the smarthost's password" },
    { flags: '--auth <type[:arg]>', help: 'who checks passwords; repeatable (default: directory)' },
    { flags: '--help-auth [type]', help: 'list the checkers, or explain one' },
    { flags: '--tls-cert <file>', help: 'certificate (default: a self-signed one)' },
    { flags: '--tls-key <file>', help: 'its private key' },
    { flags: '--uid <uid>', help: 'identity to run as' },
    { flags: '--gid <gid>', help: 'group to run as' },
    { flags: '--state <directory>', help: 'locks and temporary files (default: ./mailtap-state)' },
  ],
  run: async (given) => {
    if (given.has('help-auth'))
      return authHelp(given.last('help-auth')).forEach((line) => say(line))
    const plan = await createFrom(given)
    if (!given.has('dry-run')) sayNext(plan)
  },
}

/** Makes what the options ask for and tells what it made. @throws Failure */
export async function createFrom(given: Given): Promise<CreatePlan> {
  const plan = planOf(given)
  warnOfPlan(plan)
  const { old } = await looked(given, plan)
  if (plan.tls !== null) await checkTlsFiles(plan.tls)
  for (const { aliases } of plan.domains) await checkAliases(aliases)
  if (old !== null) await warnOfBareLogins(plan.output, old)
  const dryRun = given.has('dry-run')
  const accounts = await passwordsFor(plan.domains, { dryRun, generate: given.has('generate') })
  const password = await passwordOfRelay(plan.relay, dryRun)
  if (dryRun) sayPlan(plan, accounts)
  else await changeConfig(plan.output, () => make(given, plan, accounts, password))
  return plan
}

/** What is there, and the text that shall be there. @throws Failure when they do not go together */
async function looked(
  given: Given,
  plan: CreatePlan,
): Promise<{ old: Config | null; text: string }> {
  const old = await existing(plan.output, given)
  if (old !== null) await checkAppend(given, plan, old)
  await checkPlaces(plan, old)
  return { old, text: await configText(plan, old !== null) }
}

/** Looks again: while passwords were typed, another process may have changed the config. */
async function make(
  given: Given,
  plan: CreatePlan,
  accounts: NewAccounts[],
  password: string | null,
): Promise<void> {
  const { old, text } = await looked(given, plan)
  await makeAll(accounts)
  if (password !== null) await keepRelayPassword(plan, password)
  await write(plan.output, text, old !== null, given.has('force'))
}

/** The config to add to; `null` if a new one is to be written. */
async function existing(file: string, given: Given): Promise<Config | null> {
  if (!(await isThere(file))) return noneIn(dirname(resolve(file)))
  if (given.has('append')) return readConfig(file)
  if (given.has('force')) return null
  const what = `${file} is there already; add to it with --append, or replace it with --force`
  throw new Failure(Exit.cannotCreate, what)
}

async function noneIn(directory: string): Promise<null> {
  if (await isThere(directory)) return null
  throw new Failure(
    Exit.cannotCreate,
    `${directory}: no such directory; make it, or name another with -o FILE`,
  )
}

async function checkAliases(file: string | null): Promise<void> {
  if (file === null) return
  if (!(await isThere(file)))
    throw new Failure(Exit.badData, `-A ${file}: no such file; make it or correct the path`)
  if ((await stat(file)).isDirectory())
    throw new Failure(Exit.badData, `-A ${file}: a directory, not a file; correct the path`)
}

async function write(file: string, text: string, append: boolean, force: boolean): Promise<void> {
  if (append) await replaceFile(file, text)
  else await writeNew(file, text, !force)
  say(`${append ? 'added to' : 'wrote'} ${file}`)
}

async function writeNew(file: string, text: string, exclusive: boolean): Promise<void> {
  try {
    await writeSmallFile(dirname(resolve(file)), basename(file), text, exclusive)
  } catch (error) {
    const why = errorCode(error) ?? ''
    if (!['ENOENT', 'ENOTDIR', 'EISDIR', 'EEXIST'].includes(why)) throw error
    const what = `${file} can not be written (${why}); name another place with -o FILE`
    throw new Failure(Exit.cannotCreate, what, { cause: error })
  }
}

function warnOfPlan({ domains, listen }: CreatePlan): void {
  if (PROTOCOLS.every((protocol) => listen[protocol].length === 0))
    warn("no listener: 'mailtap run' needs one, write it into [listen]")
  const shown = domains.some(({ users }) => users.some(({ password }) => password !== null))
  if (shown) warn('a password on the command line can be seen by other users of this machine')
}

function sayPlan(plan: CreatePlan, accounts: readonly NewAccounts[]): void {
  for (const { domain, users } of accounts) {
    say(`would make the domain ${domain.name} in ${domain.path}, with the mailbox postmaster`)
    for (const { name, there } of users) say(`would ${there ? 'keep' : 'make'} the user ${name}`)
  }
  if (plan.relay !== null && plan.relay.who !== null)
    say(`would keep the password for ${plan.relay.who} in ${relayPasswordFile(plan)}`)
  say(`would write ${plan.output}`)
}

function sayNext({ output, domains, relay }: CreatePlan): void {
  const config = output === 'mailtap.toml' ? '' : ` -c ${output}`
  say('next:')
  say(`  mailtap user add${config} alice@${domains.at(-1)!.name}`)
  say(`  mailtap check${config}`)
  if (relay !== null) say(`  mailtap relay test${config}`)
  say(`  mailtap run${config}`)
}
