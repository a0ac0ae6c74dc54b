/** Brings the messages of an mbox file into a mailbox, as new mail. */
import { createReadStream } from 'node:fs'
import type { Config } from '../src/config/config.js'
import { fromBuffer } from '../src/mail/message.js'
import { named, type Account } from './account.js'
import { Exit, Failure } from './exit.js'
import type { Import } from './import-maildir.js'
import { giveMailbox, storeOf } from './mailbox-work.js'
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
  let count = 0
  try {
    for await (const message of mboxMessages(createReadStream(path))) {
      if (!trial) await store.append(account.address, fromBuffer(message))
      count++
    }
  } catch (error) {
    if (!(error instanceof MboxFault)) throw error
    const what = `${path}: ${error.message}; ${count} messages before it were taken`
    throw new Failure(Exit.badData, what, { cause: error })
  } finally {
    if (count > 0 && !trial) await giveMailbox(account)
  }
  say(`${trial ? 'would bring' : 'brought'} ${count} messages to ${named(account)}`)
}
