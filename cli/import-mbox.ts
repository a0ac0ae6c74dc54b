/** Brings the messages of an mbox file into a mailbox, as new mail. */
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { NOTHING, plus, type Usage } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import { fromBuffer } from '../src/mail/message.js'
import { named, type Account } from './account.js'
import { Exit, Failure, usage } from './exit.js'
import type { Import } from './import-maildir.js'
import { requireQuota } from './mailbox-quota.js'
import { giveMailbox, requireGivableMailbox, storeOf } from './mailbox-work.js'
import { mboxMessages, MboxFault } from './mbox.js'
import { say } from './terminal.js'

/** No lock: delivery needs none. */
export async function importMbox(
  config: Config,
  account: Account,
  { path, given }: Import,
): Promise<void> {
  const store = storeOf(config, account)
  const trial = given.has('dry-run')
  await requireGivableMailbox(account)
  if (!given.has('force') || (await isFile(path)))
    await requireQuota(config, account, given, () => contentOf(path))
  let count = 0
  try {
    for await (const message of mboxMessages(createReadStream(path))) {
      if (!trial) await store.append(account.address, fromBuffer(message))
      count++
    }
  } catch (error) {
    throw faultOf(path, error, count)
  } finally {
    if (count > 0 && !trial) await giveMailbox(account)
  }
  say(`${trial ? 'would bring' : 'brought'} ${count} messages to ${named(account)}`)
}

/** Nothing of it is kept: it is read once more when there is room. @throws Failure */
async function contentOf(path: string): Promise<Usage> {
  if (!(await isFile(path)))
    throw usage(
      `${path}: no file, so nobody can tell if it fits the quota; save it to one, or --force`,
    )
  let content = NOTHING
  try {
    for await (const message of mboxMessages(createReadStream(path)))
      content = plus(content, { bytes: fromBuffer(message).size, messages: 1 })
  } catch (error) {
    throw faultOf(path, error, 0)
  }
  return content
}

const isFile = async (path: string): Promise<boolean> => (await stat(path)).isFile()

function faultOf(path: string, error: unknown, taken: number): unknown {
  if (!(error instanceof MboxFault)) return error
  const what = `${path}: ${error.message}; ${taken} messages before it were taken`
  return new Failure(Exit.badData, what, { cause: error })
}
