/** `mailtap user app-password`: further passwords of a user, one for each program, that can be taken back one by one. */
import { newAppPassword } from '../src/checkers/app-passwords.js'
import { addAppPassword, removeAppPassword } from '../src/directory/app-password-edit.js'
import {
  type AppPassword,
  APP_PROTOCOLS,
  dayOf,
  isAppName,
  isDay,
  MAX_APP_PASSWORDS,
} from '../src/directory/app-password.js'
import { parseDays } from '../src/config/days.js'
import { type UserFile, UserFileError } from '../src/directory/user-file.js'
import { accountOf, named, noSuchUser, type Account } from './account.js'
import { CONFIG, DRY_RUN, JSON_OUTPUT, type Command, type Given } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { giveToOwnerOf } from './ownership.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export const appPassword: Command = {
  name: 'app-password',
  summary: 'add, list or remove further passwords of a user, one for each program',
  argument: '<add|list|remove> <address>',
  options: [
    CONFIG,
    { flags: '--name <name>', help: 'what the password is called, such as phone' },
    { flags: '--protocols <list>', help: 'add: what it opens, out of pop3,smtp (default: all)' },
    { flags: '--expires <when>', help: 'add: days from now (90d), or its last day (2030-12-31)' },
    JSON_OUTPUT,
    DRY_RUN,
  ],
  run: appPasswords,
}

const ACTIONS: Readonly<Record<string, (account: Account, given: Given) => Promise<void>>> = {
  add,
  list,
  remove,
}

async function appPasswords(given: Given): Promise<void> {
  const action = Object.hasOwn(ACTIONS, given.argument!) ? ACTIONS[given.argument!] : undefined
  if (action === undefined) throw usage(`'${given.argument}': use add, list or remove`)
  const account = accountOf(await settingsFor(given), given.others[0]!)
  await action(account, given)
}

async function add(account: Account, given: Given): Promise<void> {
  const user = await userOf(account)
  if (user.appPasswords.length >= MAX_APP_PASSWORDS) {
    throw usage(`${named(account)} has ${MAX_APP_PASSWORDS} app passwords; remove one`)
  }
  const { shown, hash } = newAppPassword()
  const expires = expiryOf(given)
  const app: AppPassword = {
    name: nameOf(given, user),
    hash,
    protocols: protocolsOf(given),
    expires,
  }
  const what = `the app password '${app.name}' of ${named(account)}`
  if (given.has('dry-run')) return say(`would make ${what}`)
  await edit(account, (text, path) => addAppPassword(text, app, path))
  say(`made ${what}; it is shown this once`)
  say(`password ${shown}`)
}

async function list(account: Account, given: Given): Promise<void> {
  const { appPasswords: apps } = await userOf(account)
  const used = await account.users.lastUse(account.address.local)
  const rows = apps.map(({ name, protocols, expires }) => ({
    name,
    protocols: protocols ?? APP_PROTOCOLS,
    expires,
    used: used.get(name) ?? null,
  }))
  if (given.has('json')) return sayJson(rows)
  for (const { name, protocols, expires, used: day } of rows) {
    const until = expires === null ? '' : `, until ${expires}`
    say(`${name}: ${protocols.join(', ') || 'nothing'}${until}, last used ${day ?? 'never'}`)
  }
}

async function remove(account: Account, given: Given): Promise<void> {
  const name = given.last('name')
  if (name === null) throw usage('--name says which one; mailtap user app-password list shows all')
  const what = `the app password '${name}' of ${named(account)}`
  const there = (await userOf(account)).appPasswords.some((app) => app.name === name)
  if (!there) throw new Failure(Exit.badData, `${named(account)} has no app password '${name}'`)
  if (given.has('dry-run')) return say(`would remove ${what}`)
  await edit(account, (text, path) => removeAppPassword(text, name, path))
  say(`removed ${what}`)
}

/** @throws Failure when there is no such user, or the file cannot be edited */
async function edit(
  account: Account,
  change: (text: string, path: string) => string | null,
): Promise<void> {
  if (!(await read(() => account.users.edit(account.address.local, change)))) {
    throw noSuchUser(account)
  }
  await giveToOwnerOf(account.domain, [account.userFile])
}

async function userOf(account: Account): Promise<UserFile> {
  const user = await read(() => account.users.read(account.address.local))
  if (user === null) throw noSuchUser(account)
  return user
}

async function read<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof UserFileError)) throw error
    throw new Failure(Exit.badData, error.message, { cause: error })
  }
}

/** The one that is said, or the first free one of app-1, app-2 … */
function nameOf(given: Given, { appPasswords: apps }: UserFile): string {
  const said = given.last('name')
  const taken = new Set(apps.map(({ name }) => name))
  if (said === null) {
    const numbers = Array.from({ length: MAX_APP_PASSWORDS + 1 }, (_, at) => `app-${at + 1}`)
    return numbers.find((name) => !taken.has(name))!
  }
  if (!isAppName(said)) {
    throw usage(`--name ${said}: use 1 to 64 letters, digits and ._@- or spaces`)
  }
  if (taken.has(said)) throw usage(`--name ${said}: there is one of that name; take another`)
  return said
}

function protocolsOf(given: Given): readonly string[] | null {
  const said = given.last('protocols')
  if (said === null) return null
  const wanted = [...new Set(said.split(',').map((each) => each.trim().toLowerCase()))]
  if (wanted.every((each) => APP_PROTOCOLS.includes(each))) return wanted
  throw usage(`--protocols ${said}: use a list out of ${APP_PROTOCOLS.join(',')}`)
}

/** The last day, in UTC. */
function expiryOf(given: Given): string | null {
  const said = given.last('expires')
  if (said === null || isDay(said)) return said
  const ms = parseDays(said)
  if (typeof ms === 'number') return dayOf(Date.now() + ms)
  throw usage(`--expires ${said}: use days (90d) or a day (2030-12-31)`)
}
