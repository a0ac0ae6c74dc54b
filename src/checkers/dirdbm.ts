/**
 * The checker `dirdbm`: the `passwd` directory that Twisted's mail domains keep, read in place. A
 * file per user: its name is the user's in base64, its content the password in clear.
 */
import { lstat } from 'node:fs/promises'
import { join } from 'node:path'
import { isUtf8 } from 'node:buffer'
import type { Address } from '../mail/address.js'
import { Argument } from './argument.js'
import type { CheckerType } from './checker-type.js'
import { domainFor } from './passwd-table.js'
import { FileRefused, readPrivate } from './private-file.js'
import { type Accounts, type StoredAccount, StoredAccountsChecker } from './stored-accounts.js'

/** Octets of a password. */
const MAX_PASSWORD = 1_024
/** Octets that Python's base64 puts on a line, before it is encoded. */
const LINE_OCTETS = 57

export const dirdbmType: CheckerType = {
  help: "a passwd/ directory of Twisted's mail, read in place",
  argument: 'PATH[;domain=DOMAIN]',
  example: 'dirdbm:/var/mail/example.com/passwd',
  kinds: ['password', 'secret', 'scram'],
  knowsUsers: true,
  make(text, parts) {
    const argument = new Argument('dirdbm', text, ['domain'])
    const folder = argument.path('the passwd directory')
    const domain = domainFor(argument, parts.directory)
    return new StoredAccountsChecker(new DirdbmAccounts(folder, domain), parts)
  },
}

/**
 * The name of a user's file: base64 in lines, the line ends written as `_` and the slashes as `-`,
 * as Twisted's DirDBM does.
 */
export function dirdbmName(key: string): string {
  const bytes = Buffer.from(key)
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += LINE_OCTETS) {
    lines.push(bytes.subarray(at, at + LINE_OCTETS).toString('base64'))
  }
  return lines.map((line) => `${line.replaceAll('/', '-')}_`).join('')
}

class DirdbmAccounts implements Accounts {
  readonly #folder: string
  readonly #domain: () => string | null

  constructor(folder: string, domain: () => string | null) {
    this.#folder = folder
    this.#domain = domain
  }

  async find({ local, domain }: Address): Promise<StoredAccount | null> {
    if (domain !== this.#domain()) return null
    const path = join(this.#folder, dirdbmName(local))
    const bytes = await this.#read(path)
    if (bytes === null) return null
    if (!isUtf8(bytes)) throw new FileRefused(`${path}: not UTF-8`)
    const password = bytes.length === 0 ? null : `{PLAIN}${bytes.toString()}`
    return { password, quota: null, name: null, disabled: false }
  }

  async #read(path: string): Promise<Buffer | null> {
    try {
      return (await readPrivate(path, MAX_PASSWORD))?.bytes ?? null
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      // A name that is too long for a file is nobody's either.
      if (code !== 'ENOENT' && code !== 'ENAMETOOLONG') throw error
      // A disk that is not mounted has no users: that must not bounce mail.
      await lstat(this.#folder)
      return null
    }
  }
}
