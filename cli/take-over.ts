/**
 * Takes a mailbox over from another POP3 server: its clients find every
 * message under the number, id and size that they know, or are told which not.
 */
import { realpath, unlink } from 'node:fs/promises'
import { adopt, keepUids } from '../maildir/adopt.js'
import { copyFolders } from '../maildir/copy-folders.js'
import { ForeignFault } from '../maildir/foreign.js'
import { keepable, keptUidsPath, readKeptUids } from '../maildir/kept-uids.js'
import { errorCode } from '../maildir/maildir.js'
import { oldListing, type ForeignServer, type OldListing } from '../maildir/old-listing.js'
import { pathOf } from '../maildir/scan.js'
import type { Config } from '../src/config/config.js'
import { named, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { addedBy } from './import-usage.js'
import { requireQuota } from './mailbox-quota.js'
import { alone, giveMailbox, requireGivableMailbox, storeOf } from './mailbox-work.js'
import { say } from './terminal.js'

/** Lines of a diff that are printed; more help nobody. */
const MAX_DIFF = 1_000

export interface TakeOver {
  readonly server: ForeignServer
  /** The old Maildir. */
  readonly path: string
  readonly given: Given
}

/** A line of UIDL and LIST together. */
interface Line {
  readonly uid: string
  readonly size: number
}

/** @throws Failure, badData when a client would see a difference */
export async function takeOver(config: Config, account: Account, job: TakeOver): Promise<void> {
  await alone(config, account, async () => {
    const inPlace = await isSame(job.path, account.mailbox)
    if (inPlace) requireFirst(account, job.server)
    await requireGivableMailbox(account)
    const before = await listed(job)
    if (!inPlace) await requireFits(config, account, job, before)
    sayUnkeepable(before)
    if (job.given.has('dry-run')) return sayPlan(before, account, inPlace)
    if (inPlace) await keepUids(account.mailbox, before)
    else await copy(config, account, job, before)
    await giveMailbox(account)
    const same = await compare(config, account, before)
    if (!same) throw new Failure(Exit.badData, `${named(account)}: clients would see a difference`)
    if (job.given.has('move') && !inPlace) await removeOld(job.path, before)
  })
}

/** By now its names may have changed, and clients know the ids that were made of the old ones. */
function requireFirst({ mailbox }: Account, server: ForeignServer): void {
  const byName = server === 'qmail' || server === 'twisted'
  if (!byName || readKeptUids(mailbox) === null) return
  const what = `${mailbox} was taken over before; to do that anew, remove ${keptUidsPath(mailbox)}`
  throw new Failure(Exit.badData, what)
}

function requireFits(
  config: Config,
  account: Account,
  { path, given }: TakeOver,
  before: OldListing,
): Promise<void> {
  return requireQuota(config, account, given, () => addedBy(path, account.mailbox, before))
}

async function listed({ path, server, given }: TakeOver): Promise<OldListing> {
  const uidlFormat = given.last('uidl-format')
  try {
    return await oldListing(path, server, uidlFormat === null ? {} : { uidlFormat })
  } catch (error) {
    if (error instanceof ForeignFault)
      throw new Failure(Exit.badData, error.message, { cause: error })
    throw error
  }
}

async function copy(
  { hostname }: Config,
  account: Account,
  { path }: TakeOver,
  before: OldListing,
): Promise<void> {
  const { copied, present } = await adopt(path, account.mailbox, before, hostname)
  const folders = await copyFolders(path, account.mailbox)
  say(`copied ${copied} messages (${present} were there) and ${folders} folders`)
}

function sayPlan({ known, unknown }: OldListing, account: Account, inPlace: boolean): void {
  const count = known.length + unknown.length
  if (!inPlace) say(`would copy ${count} messages to ${account.mailbox}`)
  say(`would keep the ids of ${known.length} messages for ${named(account)}`)
}

/** RFC 1939 has ids of printable ASCII; some servers know no rule. */
function sayUnkeepable({ known }: OldListing): void {
  const bad = known.filter(({ uid }) => !keepable(uid))
  for (const { uid } of bad.slice(0, MAX_DIFF))
    say(`cannot be said in POP3: ${JSON.stringify(uid)}`)
}

/** What clients knew against what they will be told. @returns whether it is the same */
async function compare(config: Config, account: Account, before: OldListing): Promise<boolean> {
  const { messages } = await storeOf(config, account).open(account.address)
  const changed = [...before.known.entries()].filter(([at, line]) => !equal(line, messages[at]))
  for (const [at, line] of changed.slice(0, MAX_DIFF)) {
    say(`- ${at + 1} ${text(line)}`)
    say(`+ ${at + 1} ${text(messages[at])}`)
  }
  const fresh = messages.length - before.known.length
  const what = `${before.known.length} messages that clients know, ${Math.max(fresh, 0)} new ones`
  say(
    `${what}: UIDL and LIST ${changed.length === 0 ? 'identical' : `differ in ${changed.length}`}`,
  )
  return changed.length === 0
}

function equal(a: Line, b: Line | undefined): boolean {
  return b !== undefined && a.uid === b.uid && a.size === b.size
}

const text = (line: Line | undefined): string =>
  line === undefined ? '(none)' : `${line.uid} ${line.size}`

async function isSame(a: string, b: string): Promise<boolean> {
  try {
    return (await realpath(a)) === (await realpath(b))
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** All of it is in the new place, durably. */
async function removeOld(path: string, { known, unknown }: OldListing): Promise<void> {
  for (const { place } of [...known, ...unknown]) await unlink(pathOf(path, place))
  say(`removed ${known.length + unknown.length} messages in ${path}; its folders are left there`)
}
