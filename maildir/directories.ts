/** The three directories that make a Maildir: making them, and being sure that they are what they seem. */
import fs from 'node:fs'
import { dirname } from 'node:path'
import { errorCode, NotAMaildir } from './errors.js'
import { syncDirectory } from './system.js'

const OWNER_ONLY = 0o700

/**
 * Makes what is missing of a Maildir; its parent must exist. When this
 * resolves it survives a power cut. `tmp` comes last: no delivery can begin,
 * in this process or in another, before the way to `new` is durable.
 * @throws the system's error, as it comes
 */
export async function create(maildir: string): Promise<void> {
  await makeDirectory(maildir)
  await makeDirectory(`${maildir}/new`)
  await makeDirectory(`${maildir}/cur`)
  await syncDirectory(maildir)
  // What lies above a Maildir is its administrator's: there a link is fine.
  await syncDirectory(dirname(maildir), 'follow')
  await makeDirectory(`${maildir}/tmp`)
}

/**
 * Makes sure that a directory is one, not a link to somebody else's. It was
 * walked through a moment ago, so this costs microseconds and never a disk.
 * @throws NotAMaildir, or the system's error
 */
export function requireDirectory(path: string): void {
  if (!fs.lstatSync(path).isDirectory()) throw new NotAMaildir(`${path} is not a directory`)
}

/**
 * Makes sure that nothing that is written into a Maildir goes through a link elsewhere.
 * @throws NotAMaildir, or the system's error
 */
export function requireMaildir(maildir: string): void {
  for (const each of [maildir, `${maildir}/tmp`, `${maildir}/new`]) requireDirectory(each)
}

/** Makes one directory, for its owner alone, or makes sure that it is one. @throws NotAMaildir, or the system's error */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      fs.mkdir(path, OWNER_ONLY, (error) => (error ? reject(error) : resolve()))
    })
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error
    requireDirectory(path)
  }
}
