/** What every command that works on a mailbox needs: the mailbox, alone or as POP3 sees it, and its owner. */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { errorCode } from '../maildir/maildir.js'
import type { Config } from '../src/config/config.js'
import { FileLocks } from '../src/locks/files.js'
import { identity } from '../src/mail/address.js'
import { Maildirs } from '../src/store/maildirs.js'
import { named, noSuchUser, type Account } from './account.js'
import { Exit, Failure } from './exit.js'
import { isThere } from './make.js'
import { giveToOwnerOf, requireGivable } from './ownership.js'

/** The mailbox as the server's own store. It takes no account of how full the disk is. */
export function storeOf(
  { hostname }: Config,
  account: Account,
  onDelivered: (path: string) => void = () => {},
): Maildirs {
  return new Maildirs({
    home: () => account.mailbox,
    roots: () => [account.domain],
    host: hostname,
    reserveBytes: 0,
    onDelivered: (_, path) => onDelivered(path),
  })
}

/** @throws Failure when there is no such mailbox */
export async function requireMailbox(account: Account): Promise<void> {
  if (await isThere(join(account.mailbox, 'cur'))) return
  if (!(await isThere(account.userFile))) throw noSuchUser(account)
  throw new Failure(Exit.noSuchUser, `${named(account)} has no mailbox yet: no mail came`)
}

/**
 * Works on a mailbox while nobody is logged in to it, and nobody can log in.
 * @throws Failure tryLater when somebody is
 */
export async function alone<T>(
  { state }: Config,
  account: Account,
  work: () => Promise<T>,
): Promise<T> {
  // No server has ever run here: nobody can be logged in.
  if (!(await isThere(state))) return work()
  const locks = await openLocks(state)
  const lease = await locks.tryAcquire(`mailbox:${identity(account.address)}`)
  if (lease === null) {
    const what = `somebody is logged in to the mailbox of ${named(account)}; try again when they are gone`
    throw new Failure(Exit.tryLater, what)
  }
  try {
    return await work()
  } finally {
    await lease.release()
  }
}

/** The server's own. What root made of them, now or in a run before, belongs to whom the server runs as. */
async function openLocks(state: string): Promise<FileLocks> {
  const folder = join(state, 'locks')
  // Nothing is made in what a link in its place leads to.
  if (await isThere(folder)) await giveToOwnerOf(state, [folder])
  const locks = await FileLocks.open(folder)
  await giveToOwnerOf(state, FileLocks.directories(folder))
  return locks
}

/**
 * Before anything is changed in a mailbox: can root give all of it to its owner afterwards?
 * @throws Failure when not
 */
export async function requireGivableMailbox({ domain, mailbox }: Account): Promise<void> {
  if (process.getuid?.() !== 0 || !(await isThere(mailbox))) return
  await requireGivable(domain, [mailbox, ...(await everythingIn(mailbox))])
}

/** What root made in a mailbox belongs to the owner of the domain. */
export async function giveMailbox({ domain, mailbox }: Account): Promise<void> {
  if (process.getuid?.() !== 0) return
  await giveToOwnerOf(domain, [mailbox, ...(await everythingIn(mailbox))])
}

/** Symbolic links, and what vanishes meanwhile, left out. */
async function everythingIn(directory: string): Promise<string[]> {
  const names = await readdir(directory, { recursive: true })
  const paths: string[] = []
  for (const name of names) {
    const path = join(directory, name)
    try {
      if (!(await lstat(path)).isSymbolicLink()) paths.push(path)
    } catch (error) {
      if (errorCode(error) !== 'ENOENT') throw error
    }
  }
  return paths
}
