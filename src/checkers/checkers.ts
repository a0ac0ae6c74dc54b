/** The types of checkers that a config can name: `TYPE` or `TYPE:ARGUMENT`. */
import type { KnownUsers } from '../directory/directory.js'
import { anonymousType } from './anonymous.js'
import { BadChecker, type CheckerType, type Parts, type UserChecker } from './checker-type.js'
import { dirdbmType } from './dirdbm.js'
import { DirectoryChecker } from './directory.js'
import { dovecotType } from './dovecot.js'
import { fileType } from './file.js'
import { httpType } from './http.js'
import { ldapType } from './ldap.js'
import { moduleType } from './module.js'
import { oauthType } from './oauth.js'
import { postgresType } from './postgres.js'
import { Slots } from './slots.js'
import { unixType } from './unix.js'
import { vpopmailType } from './vpopmail.js'

export { BadChecker, type CheckerType, type Parts, type UserChecker } from './checker-type.js'

/** Nobody makes up a salt for those who only ask who is there. */
const NO_SECRET = Buffer.alloc(32)

const directoryType: CheckerType = {
  help: 'the accounts of the own domains: the files in .users; takes no argument',
  argument: null,
  example: 'directory',
  kinds: ['password', 'secret', 'scram'],
  knowsUsers: false,
  make(argument, { directory, slots, secret }) {
    if (argument === null) return new DirectoryChecker(directory, slots, secret)
    throw new BadChecker('the checker "directory" takes no argument')
  },
}

/** By name. */
export const checkerTypes: ReadonlyMap<string, CheckerType> = new Map([
  ['directory', directoryType],
  ['file', fileType],
  ['dirdbm', dirdbmType],
  ['anonymous', anonymousType],
  ['http', httpType],
  ['dovecot', dovecotType],
  ['ldap', ldapType],
  ['postgres', postgresType],
  ['unix', unixType],
  ['vpopmail', vpopmailType],
  ['oauth', oauthType],
  ['module', moduleType],
])

/**
 * Makes the checker that a spec names. Reads no file and asks nobody yet.
 * @throws BadChecker
 */
export function makeChecker(spec: string, parts: Parts): UserChecker {
  const { type, argument } = typeOf(spec)
  return type.make(argument, parts)
}

/**
 * Those of the checkers that know their users, for the directory to ask.
 * @throws BadChecker
 */
export function knownUsers(
  specs: readonly string[],
  directory: Parts['directory'],
): readonly KnownUsers[] {
  const parts = { directory, slots: new Slots(), secret: NO_SECRET }
  return specs
    .filter((spec) => typeOf(spec).type.knowsUsers)
    .map((spec) => makeChecker(spec, parts).users)
    .filter((users) => users !== undefined)
}

/** @throws BadChecker */
function typeOf(spec: string): { type: CheckerType; argument: string | null } {
  const [, name = '', argument = null] = /^([^:]*)(?::(.*))?$/s.exec(spec) ?? []
  const type = checkerTypes.get(name)
  if (type !== undefined) return { type, argument }
  const known = [...checkerTypes.keys()].join(', ')
  throw new BadChecker(`there is no checker type ${JSON.stringify(name)}; there is: ${known}`)
}
