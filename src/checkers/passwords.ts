/**
 * Tells whether a password is the stored one, whatever form it is stored in (schemes/), and makes
 * the stored form of new ones. The caller bounds how many run at once, see slots.ts.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { preparedPassword } from '../cred/saslprep.js'
import { clearSecret } from '../directory/directory.js'
import { burnArgon2, newArgon2 } from './schemes/argon2.js'
import type { Stored } from './schemes/scheme.js'
import { readStored } from './schemes/schemes.js'

/** Bytes of UTF-8. */
const MAX_PASSWORD = 1_024
const CLEAR = /^(\{(?:PLAIN|CLEARTEXT|CLEAR)(?:\.[A-Za-z0-9]{1,8})?\})/i

/** A stored password that nobody can check here: a fault of the configuration, not a wrong password. */
export class UnusableHash extends Error {
  override readonly name = 'UnusableHash'
}

/** A password that cannot be anybody's. The message says why, and not which. */
export class BadPassword extends Error {
  override readonly name = 'BadPassword'
}

/** True if a password is one that may be set: 1 to 1,024 bytes of UTF-8, no NUL. */
export function isPassword(password: string): boolean {
  return password !== '' && !password.includes('\0') && Buffer.byteLength(password) <= MAX_PASSWORD
}

/**
 * Makes the stored form of a new password.
 * @throws BadPassword
 */
export async function hashPassword(password: string): Promise<string> {
  return newArgon2(newPassword(password))
}

/**
 * A new password as it is hashed.
 * @throws BadPassword
 */
export function newPassword(password: string): string {
  if (isPassword(password)) return preparedPassword(password)
  throw new BadPassword('a password has 1 to 1024 bytes and no NUL')
}

/**
 * True if that is the password. A wrong one takes at least as long as an argon2id hash does however
 * it is stored, or the time would tell which accounts there are; the right one need not wait where
 * it is stored in clear, since it opens anyway.
 * @throws UnusableHash when the stored form is unknown, broken or too costly
 */
export async function verifyPassword(stored: string, password: string): Promise<boolean> {
  if (!isPassword(password)) return false
  const secret = clearSecret(stored)
  const problem = passwordProblem(stored)
  if (problem !== null) throw new UnusableHash(problem)
  if (secret === null) return matches(readStored(braced(stored)) as Stored, password)
  if (sameText(secret, password)) return true
  await burn(password)
  return false
}

/** Takes as long as a wrong password does: for users that are not there. */
export async function burn(password: string): Promise<void> {
  if (!isPassword(password)) return
  for (const form of formsOf(password)) await burnArgon2(form)
}

/** Compares two passwords in a time that does not depend on where they differ. */
export function sameText(one: string, other: string): boolean {
  return timingSafeEqual(digest(one), digest(other))
}

/**
 * Why nobody can log in with that stored password, in words that never show it; `null` if its form
 * is good. Works out nothing, so it is quick.
 */
export function passwordProblem(stored: string): string | null {
  const secret = clearSecret(stored)
  if (secret !== null)
    return isPassword(secret) ? null : 'the stored password is too long or holds a NUL'
  const [clear] = CLEAR.exec(stored) ?? []
  if (clear !== undefined) return `the stored ${clear} password is broken`
  const reading = readStored(braced(stored))
  return 'problem' in reading ? reading.problem : null
}

/** The scheme of a stored password in Dovecot's spelling: `ARGON2ID`, `PLAIN`; `null` if it cannot be used. */
export function schemeOf(stored: string): string | null {
  if (passwordProblem(stored) !== null) return null
  return clearSecret(stored) === null ? (readStored(braced(stored)) as Stored).scheme : 'PLAIN'
}

/**
 * True for a hash in whose place a new one would be better. A form that challenges need (a clear
 * secret, the keys of SCRAM, CRAM-MD5) was chosen for that, and is none.
 */
export function isOutdated(stored: string): boolean {
  const scheme = schemeOf(stored)
  if (scheme === null || /^(?:PLAIN|SCRAM-|CRAM-|HMAC-)/.test(scheme)) return false
  return !(readStored(braced(stored)) as Stored).current
}

/** PostgreSQL's way to write the keys of SCRAM has no braces. */
function braced(stored: string): string {
  const { challenge, keys } =
    /^SCRAM-SHA-256\$(?<challenge>[^$]+)\$(?<keys>.+)$/.exec(stored)?.groups ?? {}
  if (challenge === undefined || keys === undefined) return stored
  return `{SCRAM-SHA-256}${challenge.replace(':', ',')},${keys.replace(':', ',')}`
}

/** @throws UnusableHash when it cannot be worked out */
async function matches(stored: Stored, password: string): Promise<boolean> {
  // Side by side, so that a cheap scheme does not take longer than the others either.
  const [good] = await Promise.all([
    matchesAny(stored, password),
    stored.current ? null : burn(password),
  ])
  return good
}

async function matchesAny(stored: Stored, password: string): Promise<boolean> {
  try {
    for (const form of formsOf(password)) if (await stored.matches(form)) return true
    return false
  } catch (error) {
    throw new UnusableHash('the stored hash is broken', { cause: error })
  }
}

/** Our own hashes are of the prepared text (RFC 4013); other programs take the text as it was typed. */
function formsOf(password: string): readonly string[] {
  return [...new Set([preparedPassword(password), password])]
}

function digest(text: string): Buffer {
  return createHash('sha256').update(preparedPassword(text)).digest()
}
