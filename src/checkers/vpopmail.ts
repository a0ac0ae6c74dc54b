/**
 * The checker `vpopmail`: the vpasswd.cdb that vpopmail keeps in each domain's directory. The key is
 * the user, the value what follows it in vpasswd: `hash:uid:gid:name:directory:quota[:clear]`, where
 * the gid is a set of flags.
 */
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Address } from '../mail/address.js'
import { parseQuota, type Quota } from '../mail/quota.js'
import { Argument } from './argument.js'
import { cdbGet } from './cdb.js'
import type { CheckerType } from './checker-type.js'
import { type Accounts, type StoredAccount, StoredAccountsChecker } from './stored-accounts.js'

const FILE = 'vpasswd.cdb'
/** Flags of vpopmail that switch something off. */
const NO_POP = 0x02
const BOUNCE = 0x10
const NO_SMTP = 0x800
const MIN_FIELDS = 6

export const vpopmailType: CheckerType = {
  help: 'the vpasswd.cdb files of vpopmail',
  argument: 'DOMAINS, the directory in which each domain has one',
  example: 'vpopmail:/home/vpopmail/domains',
  kinds: ['password', 'secret', 'scram'],
  knowsUsers: true,
  make(text, parts) {
    const argument = new Argument('vpopmail', text, [])
    const accounts = new VpopmailAccounts(argument.path('the directory of domains'))
    return new StoredAccountsChecker(accounts, parts)
  },
}

class VpopmailAccounts implements Accounts {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async find({ local, domain }: Address): Promise<StoredAccount | null> {
    const file = await this.#open(domain)
    if (file === null) return null
    try {
      const value = await cdbGet(file, Buffer.from(local))
      return value === null ? null : accountFrom(value.toString('utf8'))
    } finally {
      await file.close()
    }
  }

  /** Opened for each question: vpopmail puts a new file in its place. @returns `null` for a domain that it does not have */
  async #open(domain: string): Promise<FileHandle | null> {
    const folder = join(this.#folder, domain)
    const path = join(folder, FILE)
    try {
      return await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      if (await isThere(folder)) throw error
      // A disk that is not mounted has no domains: that must not bounce mail.
      if (!(await isThere(this.#folder))) throw error
      return null
    }
  }
}

/** @throws Error on what is no line of vpasswd */
export function accountFrom(value: string): StoredAccount {
  const fields = value.replace(/\n$/, '').split(':')
  const [hash = '', , digits = '', name = '', , quota = '', clear = ''] = fields
  if (fields.length < MIN_FIELDS || !/^\d{1,9}$/.test(digits)) {
    throw new Error('a record of vpasswd.cdb is not what vpopmail writes')
  }
  const flags = Number(digits)
  return {
    password: storedFrom(hash, clear),
    protocols: protocolsFrom(flags),
    name: name === '' ? null : name,
    quota: quotaFrom(quota),
    disabled: (flags & BOUNCE) !== 0,
  }
}

/** The password in clear serves challenges too; but only the hash is sure to be there. */
function storedFrom(hash: string, clear: string): string | null {
  if (hash === '' || /^[!*]/.test(hash)) return null
  if (clear !== '') return `{PLAIN}${clear}`
  return hash.startsWith('$') ? hash : `{CRYPT}${hash}`
}

function protocolsFrom(flags: number): readonly string[] {
  const pop3 = (flags & NO_POP) === 0 ? ['pop3'] : []
  return (flags & NO_SMTP) === 0 ? [...pop3, 'smtp'] : pop3
}

/** `NOQUOTA`, or as in a maildirsize file: `1000000S`, `1000000S,500C`. */
function quotaFrom(text: string): Quota | null {
  if (text === '' || text === 'NOQUOTA') return null
  const [bytes] = /^(\d{1,15})S?(?=,|$)/.exec(text)?.slice(1) ?? []
  const [count] = /(?:^|,)(\d{1,12})C$/.exec(text)?.slice(1) ?? []
  if (bytes === undefined && count === undefined) return parseQuota(text)
  return { bytes: Number(bytes ?? 0) || null, messages: Number(count ?? 0) || null }
}

async function isThere(folder: string): Promise<boolean> {
  try {
    await (await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)).close()
    return true
  } catch {
    return false
  }
}
