/** The forms in which a password can be stored, as people name them. */
import {
  newLogin,
  NEW_SCHEMES,
  type NewScheme,
  storedForm as formOf,
} from '../src/checkers/new-login.js'
import { BadPassword, schemeOf as storedScheme } from '../src/checkers/passwords.js'
import { clearSecret, type StoredLogin } from '../src/directory/directory.js'
import type { Config } from '../src/config/config.js'
import type { UserFile } from '../src/directory/user-file.js'
import type { Given, Option } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { warn } from './terminal.js'

export const SCHEME: Option = {
  flags: '-s, --scheme <scheme>',
  help:
    `${NEW_SCHEMES.join(', ')} (default: argon2id; the others are for other programs that read ` +
    'the file, and plain, readable by whoever reads the file, is needed for APOP)',
}

/** @throws Failure */
export function schemeOf(given: Given): NewScheme {
  const said = given.last('scheme') ?? 'argon2id'
  const scheme = NEW_SCHEMES.find((each) => each === said.toLowerCase())
  if (scheme !== undefined) return scheme
  throw usage(`-s ${said}: no scheme of this version; use ${NEW_SCHEMES.join(', ')}`)
}

/** What is to be known before a password is stored that way: on standard error, or nothing. */
export function warnOf(scheme: NewScheme): void {
  if (scheme === 'plain') warn('the password is stored in clear: keep the file from others')
  if (scheme === 'ssha512')
    warn('ssha512 is quick to guess: use it for long, generated passwords only')
}

/** What a user file holds for that password. @throws Failure */
export function storedForm(password: string, scheme: NewScheme = 'argon2id'): Promise<string> {
  return orFailure(formOf(password, scheme))
}

/** The same with the keys of SCRAM beside it, where they are of use. @throws Failure */
export function storedLogin(
  password: string,
  scheme: NewScheme = 'argon2id',
): Promise<StoredLogin> {
  return orFailure(newLogin(password, scheme))
}

async function orFailure<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof BadPassword)) throw error
    throw new Failure(Exit.badData, error.message, { cause: error })
  }
}

/** Whether a password that is stored as `plain` has the use that most people store it for. */
export function apopNote({ pop3 }: Config): string {
  const offered: Readonly<Record<typeof pop3.apop, string>> = {
    auto: 'while every account has such a password, or with apop = "on" in [pop3]',
    on: 'to everybody: apop = "on" in [pop3]',
    off: 'to nobody: apop = "off" in [pop3]',
  }
  return `APOP is offered ${offered[pop3.apop]}`
}

/** How somebody can log in, never with what. */
export function loginOf({ password, disabled }: UserFile): string {
  if (disabled) return 'disabled'
  if (password === null) return 'none'
  if (clearSecret(password) !== null) return 'plain'
  return storedScheme(password)?.toLowerCase() ?? 'unknown'
}
