/** `mailtap user remove`: ends an account. Its mail is only removed when that is said twice. */
import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { syncDirectory } from '../src/directory/small-file.js'
import { accountOf, named, noSuchUser, type Account } from './account.js'
import { CONFIG, DRY_RUN, type Given, type Option } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { isThere } from './make.js'
import { confirm, onTerminal } from './password-input.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'
import { countMessages } from './user-show.js'

export const REMOVE_OPTIONS: readonly Option[] = [
  CONFIG,
  { flags: '--mail', help: 'remove the mailbox with all mail in it, too' },
  { flags: '-y, --yes', help: 'do not ask' },
  DRY_RUN,
]

export async function remove(given: Given): Promise<void> {
  const account = accountOf(await settingsFor(given), given.argument!)
  const mail = given.has('mail') ? await countMessages(account.mailbox) : null
  const there = await isThere(account.userFile)
  if (!there && mail === null) throw noSuchUser(account)
  if (mail !== null) refusePostmaster(account)
  if (given.has('dry-run')) return sayPlan(account, there, mail)
  if (mail !== null && !given.has('yes')) await ask(account, mail)
  if (there) await removeUser(account)
  if (mail !== null) await removeMail(account, mail)
  else if (await isThere(account.mailbox)) say(`the mail is kept in ${account.mailbox}`)
}

function sayPlan(account: Account, there: boolean, mail: number | null): void {
  if (there) say(`would remove the user ${named(account)}`)
  if (mail !== null) say(`would remove ${mail} messages in ${account.mailbox}`)
}

async function ask(account: Account, mail: number): Promise<void> {
  const loss = `${mail} messages in ${account.mailbox}`
  if (!onTerminal()) throw usage(`--mail would remove ${loss} for good; add --yes if you mean it`)
  if (await confirm(`Remove ${named(account)} and ${loss} for good? (yes/no) `)) return
  throw new Failure(Exit.badData, 'not confirmed; nothing was removed')
}

async function removeUser(account: Account): Promise<void> {
  await account.users.remove(account.address.local)
  say(`removed the user ${named(account)}`)
}

/** Out of the way first: nothing can be delivered into a mailbox that is half gone. */
async function removeMail({ domain, mailbox }: Account, mail: number): Promise<void> {
  const grave = join(domain, `.removed-${randomBytes(8).toString('hex')}`)
  await rename(mailbox, grave)
  await syncDirectory(dirname(mailbox))
  await rm(grave, { recursive: true })
  say(`removed ${mail} messages in ${mailbox}`)
}

/** Mail to postmaster must always find its mailbox (RFC 5321 section 4.5.1). */
function refusePostmaster({ address }: Account): void {
  if (address.local.toLowerCase() !== 'postmaster') return
  throw usage('every domain keeps the mailbox of its postmaster; leave out --mail')
}
