/** `mailtap mailbox import`: from another server's Maildir, ids and all, or from any Maildir or mbox. */
import { FOREIGN_SERVERS, type ForeignServer } from '../maildir/old-listing.js'
import { accountOf, noSuchUser, type Account } from './account.js'
import type { Given, Option } from './command.js'
import { usage } from './exit.js'
import { importMaildir } from './import-maildir.js'
import { importMbox } from './import-mbox.js'
import { FORCE_QUOTA } from './mailbox-quota.js'
import { isThere } from './make.js'
import { settingsFor } from './settings.js'
import { takeOver } from './take-over.js'

const SOURCES = [...FOREIGN_SERVERS, 'maildir', 'mbox']

export const IMPORT_OPTIONS: readonly Option[] = [
  {
    flags: '--from <source>',
    help: `${SOURCES.join(', ')}; of a server (vpopmail: qmail, or courier) the ids are kept, too`,
  },
  {
    flags: '--uidl-format <format>',
    help: "dovecot's pop3_uidl_format, if it was not the default %08Xu%08Xv",
  },
  {
    flags: '--move',
    help: 'remove the old files when all of it is here and proven to be the same',
  },
  FORCE_QUOTA,
]

export async function importMail(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const [path, from] = [given.argument!, given.last('from')]
  if (from === null || !SOURCES.includes(from))
    throw usage(`--from ${from ?? 'is missing; it'} must be one of ${SOURCES.join(', ')}`)
  if (given.has('uidl-format') && from !== 'dovecot')
    throw usage('--uidl-format belongs to --from dovecot; leave it out')
  const account = accountOf(config, given.others[0]!)
  await requireUser(account)
  if (given.has('move') && !isServer(from)) throw usage('--move needs --from of a server')
  if (isServer(from)) return takeOver(config, account, { server: from, path, given })
  return (from === 'mbox' ? importMbox : importMaildir)(config, account, { path, given })
}

const isServer = (from: string): from is ForeignServer =>
  (FOREIGN_SERVERS as readonly string[]).includes(from)

/** Mail that nobody could ever fetch is not brought in. */
async function requireUser(account: Account): Promise<void> {
  const there = (await isThere(account.userFile)) || (await isThere(account.mailbox))
  if (!there) throw noSuchUser(account)
}
