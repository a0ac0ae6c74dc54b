/** `mailtap user`: make, look at and change accounts, straight on the user files; live without a restart. */
import { errorCode } from '../maildir/maildir.js'
import { formatAddress } from '../src/mail/address.js'
import { accountOf, named, newAccountOf, noSuchUser, ownDomain, type Account } from './account.js'
import { appPassword } from './app-password.js'
import { CONFIG, DRY_RUN, JSON_OUTPUT, type Given, type Noun } from './command.js'
import { isThere, makeUser, userExists } from './make.js'
import { giveToOwnerOf } from './ownership.js'
import { newPassword, PASSWORD_OPTIONS } from './password-input.js'
import { apopNote, SCHEME, schemeOf, storedLogin } from './scheme.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'
import { REMOVE_OPTIONS, remove } from './user-remove.js'
import { show } from './user-show.js'

const WRITE_OPTIONS = [CONFIG, ...PASSWORD_OPTIONS, SCHEME, DRY_RUN]

export const user: Noun = {
  name: 'user',
  summary: 'accounts',
  commands: [
    {
      name: 'add',
      summary: 'make a user and the mailbox',
      argument: '<address>',
      options: WRITE_OPTIONS,
      run: add,
    },
    {
      name: 'remove',
      summary: 'remove a user; the mail stays unless --mail is given',
      argument: '<address>',
      options: REMOVE_OPTIONS,
      run: remove,
    },
    {
      name: 'passwd',
      summary: "set a user's password",
      argument: '<address>',
      options: WRITE_OPTIONS,
      run: passwd,
    },
    appPassword,
    {
      name: 'list',
      summary: 'list the users of all domains, or of one',
      argument: '[domain]',
      options: [CONFIG, JSON_OUTPUT],
      run: list,
    },
    {
      name: 'show',
      summary: 'tell what is known of a user',
      argument: '<address>',
      options: [CONFIG, JSON_OUTPUT],
      run: show,
    },
  ],
}

async function add(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = newAccountOf(config, given.argument!)
  const scheme = schemeOf(given)
  if (await isThere(account.userFile)) throw userExists(account)
  if (given.has('dry-run')) return say(`would make the user ${named(account)}`)
  const password = await newPassword(named(account), given)
  const kept = await isThere(account.mailbox)
  await makeUser(account, await storedLogin(password.text, scheme))
  say(
    `user ${named(account)}, mailbox ${account.mailbox}${kept ? ' (was there; its mail is kept)' : ''}`,
  )
  if (password.generated) say(`password ${password.text}`)
  if (scheme === 'plain') say(apopNote(config))
}

async function passwd(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  const scheme = schemeOf(given)
  if (!(await isThere(account.userFile))) throw noSuchUser(account)
  if (given.has('dry-run')) return say(`would set the password of ${named(account)}`)
  const password = await newPassword(named(account), given)
  const { stored, scram } = await storedLogin(password.text, scheme)
  const { local } = account.address
  if (!(await account.users.setPassword(local, stored, scram))) throw noSuchUser(account)
  await giveToOwnerOf(account.domain, [account.userFile])
  say(`the password of ${named(account)} is set`)
  if (password.generated) say(`password ${password.text}`)
  if (scheme === 'plain') say(apopNote(config))
}

async function list(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const domains =
    given.argument === null ? Object.keys(config.domains) : [ownDomain(config, given.argument)]
  const all: string[] = []
  for (const domain of domains)
    all.push(...(await usersOf(accountOf(config, `postmaster@${domain}`))))
  if (given.has('json')) return sayJson(all)
  for (const address of all) say(address)
}

/** @param account any of the domain */
async function usersOf({ users, address: { domain } }: Account): Promise<string[]> {
  const found: string[] = []
  try {
    for await (const local of users.names()) found.push(formatAddress({ local, domain }))
  } catch (error) {
    // Nobody was ever made there.
    if (errorCode(error) !== 'ENOENT') throw error
  }
  return found.toSorted()
}
