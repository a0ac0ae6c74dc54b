/** A file of users as a table in memory, made anew whenever the file was changed. */
import {
  type Address,
  foldLocal,
  identity,
  parseAddress,
  parseDomain,
  parseLocal,
} from '../mail/address.js'
import type { Directory } from '../directory/directory.js'
import type { Argument } from './argument.js'
import { FileRefused, type Privacy, readPrivate } from './private-file.js'
import { bareDomain, type Accounts, type StoredAccount } from './stored-accounts.js'

/** Octets: some 200,000 users. */
const MAX_FILE = 32 * 1024 * 1024
const MAX_USERS = 500_000

/** One line of a file: a name with a domain or without, and what is stored. */
export interface Entry {
  readonly name: string
  readonly account: StoredAccount
}

export interface TableOptions {
  readonly path: string
  readonly parse: (line: string) => Entry | null
  /** Where bare names belong; `null` = nowhere. Asked each time the file is read. */
  readonly domain: () => string | null
  readonly privacy?: Privacy
}

interface Table {
  readonly stamp: string
  readonly domain: string | null
  readonly accounts: ReadonlyMap<string, StoredAccount>
}

export class PasswdTable implements Accounts {
  readonly #options: TableOptions
  #table: Table | null = null
  #reading: Promise<Table> | null = null

  constructor(options: TableOptions) {
    this.#options = options
  }

  async find(address: Address): Promise<StoredAccount | null> {
    const { accounts } = await this.#current()
    return accounts.get(identity(address)) ?? null
  }

  /** Those who ask at the same time share one look at the file. */
  #current(): Promise<Table> {
    this.#reading ??= this.#read().finally(() => (this.#reading = null))
    return this.#reading
  }

  async #read(): Promise<Table> {
    const { path, privacy } = this.#options
    const domain = this.#options.domain()
    const old = this.#table?.domain === domain ? this.#table : null
    const file = await readPrivate(path, MAX_FILE, old?.stamp ?? null, privacy)
    if (file === null) return old!
    const accounts = this.#parse(decode(file.bytes, path), domain)
    return (this.#table = { stamp: file.stamp, domain, accounts })
  }

  #parse(text: string, domain: string | null): Map<string, StoredAccount> {
    const accounts = new Map<string, StoredAccount>()
    for (const line of text.split(/\r?\n/)) {
      const entry = this.#options.parse(line)
      const address = entry === null ? null : addressOf(entry.name, domain)
      if (entry === null || address === null) continue
      // As with passwd(5), the first of two lines counts.
      if (!accounts.has(address)) accounts.set(address, entry.account)
      if (accounts.size > MAX_USERS) {
        throw new FileRefused(`${this.#options.path}: more than ${MAX_USERS} users`)
      }
    }
    return accounts
  }
}

/** The domain that `domain=` names, or the default domain. @throws BadChecker */
export function domainFor(argument: Argument, directory: Directory): () => string | null {
  const said = argument.get('domain')
  if (said === null) return () => bareDomain(directory, null)
  const domain = parseDomain(said)
  if (domain === null) throw argument.bad('domain= takes a domain')
  return () => domain
}

/** @returns `null` for a name that can be nobody here */
function addressOf(name: string, domain: string | null): string | null {
  const address = parseAddress(name)
  if (address !== null) return identity({ ...address, local: foldLocal(address.local) })
  const local = parseLocal(name)
  return local === null || domain === null ? null : identity({ local: foldLocal(local), domain })
}

/** Old files are not always UTF-8: the names that are not are nobody's. */
function decode(bytes: Buffer, path: string): string {
  if (bytes.includes(0)) throw new FileRefused(`${path}: holds a NUL, so it is no text`)
  return bytes.toString('utf8')
}
