/**
 * The directory of the maildrop, into which every user of the machine may put mail and out of which
 * only the server takes it.
 *
 * A Node script cannot be setgid as Postfix's postdrop is, so the directory itself does the work.
 * Mode 3733: anybody may make a file in it (wx for all) but nobody can list it, so that nobody sees
 * who mails when; nobody can remove or rename what somebody else put there (sticky); and what is
 * made there belongs to the directory's group (setgid), which is the server's: a file of mode 0640
 * can be read by its owner and the server alone. Names are 128 random bits as well, for file systems
 * without setgid directories and for servers in a group that they share with others. Who sends is
 * known by the owner of the file, which nobody can forge.
 */
import { randomBytes } from 'node:crypto'
import type { Stats } from 'node:fs'
import { chmod, lstat, mkdir, rename, rmdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { codeOf, StrangeFile } from './disk-failure.js'
import { syncDirectory } from './shards.js'

const MODE = 0o3733
const SETGID = 0o2000
const PRIVATE = 0o700
/** A way through, without a view. */
const PASSABLE = 0o011
const PERMISSIONS = 0o7777

/** Behind the name of a file that is being written. */
export const DROP_DRAFT = '.tmp'
/** When it was made, in order, and what nobody guesses. */
export const DROP_NAME = /^[0-9a-z]{9}-[0-9a-f]{32}$/

export function newDropName(): string {
  return `${Date.now().toString(36).padStart(9, '0')}-${randomBytes(16).toString('hex')}`
}

/** @param state the server's state directory */
export function maildropOf(state: string): string {
  return join(state, 'spool', 'maildrop')
}

export interface DropPlace {
  readonly path: string
  /** What is put there by others belongs to the directory's group. */
  readonly grouped: boolean
}

/**
 * Makes the directory where it is missing, and the way to it passable for everybody. One that is
 * there stays as it is: an admin who closes it wants it closed.
 * @param state the server's state directory; it is there
 * @param own called with each path that is made, to give it to whom the server runs as
 * @throws StrangeFile when something else bears its name, or what the disk says
 */
export async function openDropPlace(state: string, own: Own = async () => {}): Promise<DropPlace> {
  const path = maildropOf(state)
  const found = (await facts(path)) ?? (await make(state, path, own))
  if (!found.isDirectory()) throw new StrangeFile(`${path}: not a directory`)
  return { path, grouped: (found.mode & SETGID) !== 0 }
}

type Own = (path: string) => Promise<void>

async function facts(path: string): Promise<Stats | null> {
  try {
    return await lstat(path)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

/** The name last: a crash before leaves no directory that is there and closed. */
async function make(state: string, path: string, own: Own): Promise<Stats> {
  const spool = join(state, 'spool')
  if (await madeNow(spool)) await own(spool)
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  await mkdir(draft, PRIVATE)
  await own(draft)
  // After it changed hands: giving away takes setgid off.
  await chmod(draft, MODE)
  for (const way of [state, spool])
    await chmod(way, ((await stat(way)).mode & PERMISSIONS) | PASSABLE)
  try {
    await rename(draft, path)
  } catch (error) {
    // Somebody was faster, and mail is in it already.
    if (!['ENOTEMPTY', 'EEXIST'].includes(codeOf(error) ?? '')) throw error
    await rmdir(draft)
  }
  await syncDirectory(spool)
  return lstat(path)
}

async function madeNow(path: string): Promise<boolean> {
  try {
    await mkdir(path, PRIVATE)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}
