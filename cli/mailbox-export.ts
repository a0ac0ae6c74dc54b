/** `mailtap mailbox export`: all mail of a user as an mbox file or a Maildir of its own. */
import { open, type FileHandle } from 'node:fs/promises'
import { dirname } from 'node:path'
import { adopt } from '../maildir/adopt.js'
import { copyFolders } from '../maildir/copy-folders.js'
import { readKeptUids, writeKeptUids } from '../maildir/kept-uids.js'
import { list, read } from '../maildir/maildir.js'
import { arrivalOf } from '../maildir/names.js'
import { plainListing } from '../maildir/old-listing.js'
import type { Config } from '../src/config/config.js'
import { syncDirectory } from '../src/directory/small-file.js'
import { accountOf, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { requireMailbox } from './mailbox-work.js'
import { isThere } from './make.js'
import { mboxEntry } from './mbox.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'

const FORMATS = ['maildir', 'mbox']

export async function exportMailbox(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  const path = given.others[0]!
  const format = given.last('format') ?? 'maildir'
  if (!FORMATS.includes(format)) throw usage(`--format ${format}: write ${FORMATS.join(' or ')}`)
  await requireMailbox(account)
  if (await isThere(path))
    throw new Failure(Exit.cannotCreate, `${path}: exists already; name a new place`)
  if (given.has('dry-run')) return sayPlan(account, path)
  const count = await (format === 'mbox' ? toMbox(account, path) : toMaildir(config, account, path))
  say(`wrote ${count} messages to ${path}`)
}

async function sayPlan({ mailbox }: Account, path: string): Promise<void> {
  const { entries } = await list(mailbox)
  say(`would write ${entries.length} messages to ${path}`)
}

async function toMaildir(config: Config, { mailbox }: Account, path: string): Promise<number> {
  const kept = readKeptUids(mailbox)
  const { copied } = await adopt(mailbox, path, await plainListing(mailbox), config.hostname)
  await copyFolders(mailbox, path)
  if (kept !== null) await writeKeptUids(path, kept)
  return copied
}

async function toMbox(account: Account, path: string): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    const count = await writeAll(file, account)
    await file.sync()
    await syncDirectory(dirname(path))
    return count
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, { mailbox }: Account): Promise<number> {
  const listing = await list(mailbox)
  for (const entry of listing.entries) {
    const chunks: Buffer[] = []
    for await (const chunk of await read(listing, entry)) chunks.push(chunk)
    const { seconds } = arrivalOf(entry.base)
    const came = Number.isFinite(seconds) ? seconds : 0
    await file.writeFile(mboxEntry(Buffer.concat(chunks), came))
  }
  return listing.entries.length
}
