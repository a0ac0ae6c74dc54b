/** Makes what mail needs on the disk: a domain's directory, a mailbox, a user. */
import { lstat, mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { create, errorCode } from '../maildir/maildir.js'
import type { StoredLogin } from '../src/directory/directory.js'
import { named, type Account } from './account.js'
import { Exit, Failure } from './exit.js'
import { giveToOwnerOf } from './ownership.js'

/** Makes the directories of a domain, 0700, with those above them. @throws the system's errors */
export async function makeDomain(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await makeDirectory(path, stat)
  const users = join(path, '.users')
  await makeDirectory(users)
  await giveToOwnerOf(path, [users])
}

/** Makes an empty mailbox; one that is there stays as it is. */
export async function makeMailbox({ domain, mailbox }: Account): Promise<void> {
  await create(mailbox)
  const parts = ['', 'tmp', 'new', 'cur'].map((part) => join(mailbox, part))
  await giveToOwnerOf(domain, parts)
}

/**
 * Makes a user, live at once. The mailbox comes first: a login must never miss it.
 * @param login the password in its stored forms
 * @throws Failure when there is such a user
 */
export async function makeUser(account: Account, login: StoredLogin): Promise<void> {
  await makeMailbox(account)
  try {
    await account.users.add(account.address.local, login.stored, login.scram)
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    throw userExists(account)
  }
  await giveToOwnerOf(account.domain, [dirname(account.userFile), account.userFile])
}

export function userExists(account: Account): Failure {
  const what = `${named(account)} is there already; for another password: mailtap user passwd ${named(account)}`
  return new Failure(Exit.cannotCreate, what)
}

/** True if there is something of that name. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return false
    throw error
  }
}

/** @param look `stat` where an administrator may have put a link, `lstat` inside a domain */
async function makeDirectory(path: string, look = lstat): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    if ((await look(path)).isDirectory()) return
    throw new Failure(
      Exit.cannotCreate,
      `${path}: a link or a file, not a directory; remove it or name another place`,
    )
  }
}
