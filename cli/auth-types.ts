/** The checkers that `--auth` can name, and what `--help-auth` says of them. */
import {
  BadChecker,
  type CheckerType,
  checkerTypes,
  makeChecker,
} from '../src/checkers/checkers.js'
import { Slots } from '../src/checkers/slots.js'
import type { Kind } from '../src/cred/credentials.js'
import { MemoryDirectory } from '../src/directory/memory.js'
import { Exit, Failure } from './exit.js'

export function isAuthType(name: string): boolean {
  return checkerTypes.has(name)
}

/** What is wrong with `TYPE:ARGUMENT`; `null` if such a checker can be made. Asks nobody and reads no file. */
export function authProblem(spec: string): string | null {
  const directory = new MemoryDirectory({ users: {} })
  try {
    makeChecker(spec, { directory, slots: new Slots(), secret: Buffer.alloc(32) })
    return null
  } catch (error) {
    if (error instanceof BadChecker) return error.message
    throw error
  }
}

/**
 * The lines for `--help-auth`, or those for one type.
 * @throws Failure when there is no such type
 */
export function authHelp(name: string | null): readonly string[] {
  if (name === null) {
    const types = [...checkerTypes].map(([type, { help }]) => `  ${type.padEnd(12)}${help}`)
    return ['who checks passwords (--auth TYPE[:ARGUMENT]), asked in the order given:', ...types]
  }
  const type = checkerTypes.get(name)
  if (type !== undefined) return linesOf(name, type)
  const known = [...checkerTypes.keys()].join(', ')
  throw new Failure(
    Exit.unavailable,
    `--help-auth ${name}: no checker of this version; there is: ${known}`,
  )
}

function linesOf(name: string, type: CheckerType): readonly string[] {
  const { help, argument, example, kinds, knowsUsers, needs } = type
  return [
    `${name}: ${help}`,
    `argument: ${argument === null ? 'none' : `${name}:${argument}`}`,
    `example: --auth '${example}'`,
    `can check: ${kinds.map((kind) => KINDS[kind]).join(', ')}`,
    knowsUsers
      ? 'its users need no user file: mail for them is taken at once'
      : 'it does not tell who its users are: mail is taken for those with a user file',
    ...(needs === undefined ? [] : [`needs the package ${needs}: npm install ${needs}`]),
    ...warningsOf(type),
  ]
}

/** Which commands of the protocols each kind of credentials comes from. */
const KINDS: Readonly<Record<Kind, string>> = {
  anonymous: 'clients that do not log in',
  password: 'passwords (USER/PASS, PLAIN, LOGIN)',
  secret: 'challenges with a stored secret (APOP, CRAM-MD5)',
  scram: 'SCRAM-SHA-256',
  bearer: 'tokens (OAUTHBEARER, XOAUTH2)',
}

/** What a protocol cannot do with it alone. */
export function warningsOf({ kinds }: Pick<CheckerType, 'kinds'>): readonly string[] {
  const can = (kind: Kind): boolean => kinds.includes(kind)
  if (can('password')) {
    return can('scram') ? [] : ['warning: alone it serves no APOP, CRAM-MD5 and SCRAM-SHA-256']
  }
  return ['warning: USER/PASS, PLAIN and LOGIN cannot use it: clients with passwords stay out']
}
