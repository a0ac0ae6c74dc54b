/** Brings the messages of any Maildir into a mailbox, with names, flags and folders, as new mail. */
import { adopt } from '../maildir/adopt.js'
import { copyFolders } from '../maildir/copy-folders.js'
import { plainListing } from '../maildir/old-listing.js'
import type { Config } from '../src/config/config.js'
import { named, type Account } from './account.js'
import type { Given } from './command.js'
import { addedBy } from './import-usage.js'
import { requireQuota } from './mailbox-quota.js'
import { alone, giveMailbox, requireGivableMailbox } from './mailbox-work.js'
import { say } from './terminal.js'

export interface Import {
  readonly path: string
  readonly given: Given
}

export async function importMaildir(
  config: Config,
  account: Account,
  { path, given }: Import,
): Promise<void> {
  await alone(config, account, async () => {
    await requireGivableMailbox(account)
    const listing = await plainListing(path)
    await requireQuota(config, account, given, () => addedBy(path, account.mailbox, listing))
    const count = `${listing.unknown.length} messages`
    if (given.has('dry-run')) return say(`would copy ${count} to ${named(account)}`)
    const { copied, present } = await adopt(path, account.mailbox, listing, config.hostname)
    const folders = await copyFolders(path, account.mailbox)
    await giveMailbox(account)
    say(`copied ${copied} messages (${present} were there) and ${folders} folders`)
  })
}
