/** Copies a mailbox to a new Maildir, with its folders and the ids that its clients know. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { adopt } from '../maildir/adopt.js'
import { copyFolders } from '../maildir/copy-folders.js'
import { readKeptUids, writeKeptUids } from '../maildir/kept-uids.js'
import { errorCode, MaildirFault } from '../maildir/maildir.js'
import { type OldListing, plainListing } from '../maildir/old-listing.js'
import { look, pathOf } from '../maildir/scan.js'
import { Exit, Failure } from './exit.js'
import type { LeftOut } from './export-left-out.js'

/** How often a mailbox is read that changes meanwhile. */
const MAX_TRIES = 5

/** @returns how many messages were copied @throws Failure, or the system's error */
export async function exportMaildir(
  mailbox: string,
  path: string,
  host: string,
  leftOut: LeftOut,
): Promise<number> {
  const kept = readKeptUids(mailbox)
  const there = await look(mailbox)
  const { unknown } = await copyAll(mailbox, path, host)
  if (kept !== null) await writeKeptUids(path, kept)
  const copied = new Set(unknown.map(({ base }) => base))
  for (const base of there.keys())
    if (!copied.has(base)) leftOut.add(base, 'gone, no message, or nobody lets us read it')
  return copied.size
}

/** What was copied before a message vanished is not copied again. */
async function copyAll(mailbox: string, path: string, host: string): Promise<OldListing> {
  for (let tries = 1; ; tries++) {
    const listing = await readable(mailbox)
    try {
      await adopt(mailbox, path, listing, host)
      await copyFolders(mailbox, path)
      return listing
    } catch (error) {
      if (!passing(error)) throw error
      if (tries < MAX_TRIES) continue
      const what = `${mailbox}: changes too fast to be copied; try again later`
      throw new Failure(Exit.tryLater, what, { cause: error })
    }
  }
}

/** A message vanished, was moved, or became shorter. */
function passing(error: unknown): boolean {
  return error instanceof MaildirFault || errorCode(error) === 'ENOENT'
}

async function readable(mailbox: string): Promise<OldListing> {
  const { known, unknown } = await plainListing(mailbox)
  const open = await Promise.all(unknown.map(({ place }) => mayRead(mailbox, place)))
  return { known, unknown: unknown.filter((_, at) => open[at]) }
}

/** One that vanished is not to be read either. */
async function mayRead(mailbox: string, place: string): Promise<boolean> {
  try {
    await access(pathOf(mailbox, place), constants.R_OK)
    return true
  } catch (error) {
    if (['EACCES', 'ENOENT', 'EPERM'].includes(errorCode(error) ?? '')) return false
    throw error
  }
}
