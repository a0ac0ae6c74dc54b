/** `mailtap mailbox export`: all mail of a user as an mbox file or a Maildir of its own. */
import { randomBytes } from 'node:crypto'
import { rename, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { list } from '../maildir/maildir.js'
import { syncDirectory } from '../src/directory/small-file.js'
import { accountOf, named, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { LeftOut } from './export-left-out.js'
import { exportMaildir } from './export-maildir.js'
import { exportMbox } from './export-mbox.js'
import { requireMailbox } from './mailbox-work.js'
import { isThere } from './make.js'
import { settingsFor } from './settings.js'
import { say } from './terminal.js'

const FORMATS = ['maildir', 'mbox']

/** @throws Failure badData when messages had to be left out */
export async function exportMailbox(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  const path = given.others[0]!
  const format = given.last('format') ?? 'maildir'
  if (!FORMATS.includes(format)) throw usage(`--format ${format}: write ${FORMATS.join(' or ')}`)
  await requireMailbox(account)
  await requireNew(path)
  if (given.has('dry-run')) return sayPlan(account, path)
  const leftOut = new LeftOut()
  const count = await inOnePiece(resolve(path), (draft) =>
    format === 'mbox'
      ? exportMbox(account.mailbox, draft, leftOut)
      : exportMaildir(account.mailbox, draft, config.hostname, leftOut),
  )
  say(`wrote ${count} messages to ${path}`)
  if (leftOut.count === 0) return
  const what = leftOut.count === 1 ? '1 message was' : `${leftOut.count} messages were`
  throw new Failure(Exit.badData, `${named(account)}: ${what} left out of ${path}`)
}

async function requireNew(path: string): Promise<void> {
  if (await isThere(path))
    throw new Failure(Exit.cannotCreate, `${path}: exists already; name a new place`)
}

async function sayPlan({ mailbox }: Account, path: string): Promise<void> {
  const { entries } = await list(mailbox)
  say(`would write ${entries.length} messages to ${path}`)
}

/** Made beside its place and moved there at the end: nobody takes half of it for the whole. */
async function inOnePiece<T>(path: string, make: (draft: string) => Promise<T>): Promise<T> {
  const suffix = randomBytes(8).toString('hex')
  const draft = join(dirname(path), `${basename(path)}.tmp-${suffix}`)
  try {
    const made = await make(draft)
    await requireNew(path)
    await rename(draft, path)
    await syncDirectory(dirname(path))
    return made
  } catch (error) {
    await rm(draft, { recursive: true, force: true })
    throw error
  }
}
