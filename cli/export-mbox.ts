/** Writes all messages of a mailbox that can be read to one file (mboxrd). */
import { open, type FileHandle } from 'node:fs/promises'
import {
  type Entry,
  errorCode,
  list,
  type Listing,
  MaildirFault,
  read,
} from '../maildir/maildir.js'
import { arrivalOf } from '../maildir/names.js'
import { look } from '../maildir/scan.js'
import type { LeftOut } from './export-left-out.js'
import { MAX_OCTETS, mboxEntry } from './mbox.js'

/** What the system says of one message alone. */
const ONE_MESSAGE = new Set(['EACCES', 'EIO', 'ELOOP', 'ENOENT', 'EPERM'])

/** @returns how many were written @throws the system's error when that is not about one message */
export async function exportMbox(mailbox: string, path: string, leftOut: LeftOut): Promise<number> {
  const there = await look(mailbox)
  const listing = await list(mailbox)
  const listed = new Set(listing.entries.map(({ base }) => base))
  for (const base of there.keys()) if (!listed.has(base)) leftOut.add(base, 'gone, or no message')
  const file = await open(path, 'wx', 0o600)
  try {
    const count = await writeAll(file, listing, leftOut)
    await file.sync()
    return count
  } finally {
    await file.close()
  }
}

async function writeAll(file: FileHandle, listing: Listing, leftOut: LeftOut): Promise<number> {
  let count = 0
  for (const entry of listing.entries) {
    const message = await contentOf(listing, entry, leftOut)
    if (message === null) continue
    await file.writeFile(mboxEntry(message, arrivalOf(entry.base).seconds))
    count++
  }
  return count
}

/** `null` if it cannot be had; that is told. */
async function contentOf(listing: Listing, entry: Entry, leftOut: LeftOut): Promise<Buffer | null> {
  if (entry.size > MAX_OCTETS) {
    leftOut.add(entry.base, `more than ${MAX_OCTETS} octets; export it as a Maildir`)
    return null
  }
  try {
    const chunks: Buffer[] = []
    for await (const chunk of await read(listing, entry)) chunks.push(chunk)
    return Buffer.concat(chunks)
  } catch (error) {
    if (!(error instanceof MaildirFault) && !ONE_MESSAGE.has(errorCode(error) ?? '')) throw error
    leftOut.add(entry.base, error)
    return null
  }
}
