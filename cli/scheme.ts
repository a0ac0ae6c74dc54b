/** The forms in which a password can be stored, as people name them. */
import { hashPassword } from '../src/checkers/passwords.js'
import { formatScram, newScramRecord } from '../src/cred/scram.js'
import { clearSecret } from '../src/directory/directory.js'
import type { Config } from '../src/config/config.js'
import type { UserFile } from '../src/directory/user-file.js'
import type { Given, Option } from './command.js'
import { usage } from './exit.js'

/** How the password of a new user file is stored. */
export type Scheme = 'argon2id' | 'plain'

export const SCHEME: Option = {
  flags: '-s, --scheme <scheme>',
  help: 'argon2id (default), or plain: readable by whoever reads the file, needed for APOP',
}

/** @throws Failure */
export function schemeOf(given: Given): Scheme {
  const said = given.last('scheme') ?? 'argon2id'
  const scheme = said.toLowerCase()
  if (scheme === 'argon2id' || scheme === 'plain') return scheme
  throw usage(`-s ${said}: no scheme of this version; use argon2id or plain`)
}

/** What a user file holds for that password. */
export function storedForm(password: string, scheme: Scheme = 'argon2id'): Promise<string> {
  return scheme === 'plain' ? Promise.resolve(`{PLAIN}${password}`) : hashPassword(password)
}

/** What a user file holds for a password that is made here: also the keys of SCRAM, which no hash can serve. */
export async function storedLogin(
  password: string,
  scheme: Scheme = 'argon2id',
): Promise<StoredLogin> {
  const stored = await storedForm(password, scheme)
  // A password in clear is all that SCRAM needs, and can not get out of step with its keys.
  const scram = scheme === 'plain' ? null : formatScram(await newScramRecord(password))
  return { stored, scram }
}

export interface StoredLogin {
  readonly stored: string
  readonly scram: string | null
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
  return (
    /^(?:\$(argon2id?)\$|\{([A-Za-z0-9.-]{1,32})\})/.exec(password)?.slice(1).find(Boolean) ??
    'unknown'
  )
}
