/** What a user may keep, for commands that bring mail into a mailbox by themselves. */
import { countNow } from '../maildir/count-now.js'
import { errorCode, fits, NOTHING, plus, type Usage } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import { foldLocal } from '../src/mail/address.js'
import { formatQuota, limiting, type Quota } from '../src/mail/quota.js'
import { named, type Account } from './account.js'
import type { Given, Option } from './command.js'
import { Exit, Failure } from './exit.js'
import { isThere } from './make.js'
import { warn } from './terminal.js'

/** Who must always be reached (RFC 5321 section 4.5.1) has no quota in the server either. */
const ALWAYS = 'postmaster'

export const FORCE_QUOTA: Option = {
  flags: '--force',
  help: 'go past the quota of the user; without it nothing is done then, and the exit code is 75',
}

/** That of the user file, else of the domain; `null` = as much as there is room for. @throws UserFileError */
export async function quotaOf(
  { domains }: Config,
  { address, users, userFile }: Account,
): Promise<Quota | null> {
  if (foldLocal(address.local) === ALWAYS) return null
  const user = (await isThere(userFile)) ? await users.read(address.local) : null
  return limiting(user?.quota ?? domains[address.domain]!.quota)
}

/**
 * To be asked before anything is written; with --force it only warns.
 * @param added is asked only of a user with a quota
 * @throws Failure tryLater when it would go past the quota
 */
export async function requireQuota(
  config: Config,
  account: Account,
  given: Given,
  added: () => Promise<Usage>,
): Promise<void> {
  const quota = await quotaOf(config, account)
  if (quota === null) return
  const more = await added()
  if (more.messages === 0 || fits(plus(usageIn(account), more), quota)) return
  const amount = `${more.messages} more message${more.messages === 1 ? '' : 's'}`
  const what = `${named(account)}: ${amount} of ${more.bytes} octets would go past the quota of ${formatQuota(quota)}`
  if (given.has('force')) return warn(`${what}; going on`)
  const how = 'nothing was changed; make room, raise the quota, or add --force'
  throw new Failure(Exit.tryLater, `${what}; ${how}`)
}

/** Counted, as only the server keeps account. */
function usageIn({ mailbox }: Account): Usage {
  try {
    return countNow(mailbox).usage
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return NOTHING
    throw error
  }
}
