/** `mailtap user show`: what is known of an account. */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../maildir/maildir.js'
import type { UserFile } from '../src/directory/user-file.js'
import { accountOf, named, noSuchUser, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { loginOf } from './scheme.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export async function show(given: Given): Promise<void> {
  const account = accountOf(await settingsFor(given), given.argument!)
  const user = await read(account)
  if (user === null) throw await whyNobody(account)
  const facts = {
    address: named(account),
    name: user.name,
    login: loginOf(user),
    ...(user.passwordProtocols === null
      ? {}
      : { for: user.passwordProtocols.join(', ') || 'nothing' }),
    ...(user.appPasswords.length === 0 ? {} : { apps: user.appPasswords.length }),
    mailbox: account.mailbox,
    messages: await countMessages(account.mailbox),
  }
  if (given.has('json')) return sayJson(facts)
  for (const [fact, value] of Object.entries(facts)) {
    if (value !== null) say(`${fact.padEnd(9)} ${value}`)
  }
}

/** @returns how many, or `null` if there is no mailbox yet */
export async function countMessages(mailbox: string): Promise<number | null> {
  try {
    const lists = await Promise.all(['new', 'cur'].map((part) => readdir(join(mailbox, part))))
    return lists.flat().filter((name) => !name.startsWith('.')).length
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
}

async function read({ users, address }: Account): Promise<UserFile | null> {
  try {
    return await users.read(address.local)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw errorCode(error) === undefined
      ? new Failure(Exit.badData, (error as Error).message)
      : error
  }
}

/** The postmaster's mailbox is there from the beginning, and so is that of a removed user. */
async function whyNobody(account: Account): Promise<Failure> {
  const messages = await countMessages(account.mailbox)
  if (messages === null) return noSuchUser(account)
  const name = named(account)
  const what = `no user ${name}, but a mailbox with ${messages} messages`
  return new Failure(Exit.noSuchUser, `${what}; to log in to it: mailtap user add ${name}`)
}
