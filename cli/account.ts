/** From what a person types to a user's place on the disk. */
import { join } from 'node:path'
import type { Config, DomainConfig } from '../src/config/config.js'
import { key } from '../src/directory/key.js'
import { Users } from '../src/directory/users.js'
import { formatAddress, parseDomain, parseLocal, type Address } from '../src/mail/address.js'
import { Exit, Failure, usage } from './exit.js'
import { newUserName } from './user-name.js'

export interface Account {
  readonly address: Address
  /** The domain's directory; the owner of it owns everything in it. */
  readonly domain: string
  /** The user database that the account belongs to. */
  readonly users: Users
  /** The user's file in it. */
  readonly userFile: string
  /** The mailbox's directory. */
  readonly mailbox: string
}

/** An account that may be there already, whatever its name. @throws Failure */
export function accountOf(config: Config, text: string): Account {
  const [local, domain] = split(config, text)
  const parsed = parseLocal(local)
  if (parsed === null) throw new Failure(Exit.badData, `'${text}' is no address; write name@domain`)
  return accountIn(config.domains[domain]!, { local: parsed, domain })
}

/** An account that shall be made. @throws Failure when the name can not be used */
export function newAccountOf(config: Config, text: string): Account {
  const [local, domain] = split(config, text)
  return accountIn(config.domains[domain]!, { local: newUserName(local), domain })
}

/** @throws Failure when no file can have that name */
export function accountIn({ path }: Pick<DomainConfig, 'path'>, address: Address): Account {
  const name = key(address.local)
  if (name === null)
    throw new Failure(Exit.badData, `'${address.local}' can not be the name of a file`)
  const userFile = join(path, '.users', name)
  return { address, domain: path, users: new Users(path), userFile, mailbox: join(path, name) }
}

/** For messages: `alice@example.com`. */
export const named = ({ address }: Account): string => formatAddress(address)

/** Nobody has that name. */
export function noSuchUser(account: Account): Failure {
  const what = `no user ${named(account)}; 'mailtap user list' shows who there is`
  return new Failure(Exit.noSuchUser, what)
}

/** The one domain that a noun's `[domain]` names, or is another name of. @throws Failure when it is not ours */
export function ownDomain(config: Config, text: string): string {
  const domain = parseDomain(text)
  if (domain !== null && Object.hasOwn(config.domains, domain)) return domain
  if (domain !== null && Object.hasOwn(config.aliasDomains, domain))
    return config.aliasDomains[domain]!
  const ours = Object.keys(config.domains).join(', ') || 'none'
  throw new Failure(Exit.noSuchUser, `'${text}' is no domain of this config (its domains: ${ours})`)
}

/** The local part as typed, and the domain in canonical form. */
function split(config: Config, text: string): [local: string, domain: string] {
  const at = text.lastIndexOf('@')
  if (at !== -1) return [text.slice(0, at), ownDomain(config, text.slice(at + 1))]
  if (config.defaultDomain !== null) return [text, config.defaultDomain]
  throw usage(`'${text}' lacks its domain, and there is no default_domain; write ${text}@domain`)
}
