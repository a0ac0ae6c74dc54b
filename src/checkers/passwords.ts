/**
 * Stored passwords: makes them (argon2id) and tells whether a password is the
 * one. The one door to argon2. The caller bounds how many run at once, see
 * slots.ts.
 */
import { createHash, timingSafeEqual } from 'node:crypto'
import { argon2id, hash, verify } from 'argon2'
import { preparedPassword } from '../cred/saslprep.js'
import { clearSecret } from '../directory/directory.js'

/** What a new hash costs: 19 MiB, two passes; memoryCost in KiB. */
const COST = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** What a hash from a file may cost at most; more would be an attack on the machine. */
const MAX_MEMORY = 262_144
const MAX_TIME = 16
const MAX_PARALLELISM = 8
/** Bytes of UTF-8. */
const MAX_PASSWORD = 1_024
const MAX_STORED = 1_024

const ARGON2 =
  /^\$argon2id?\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{16,256})$/
const BROKEN = 'the stored hash is broken'
const SCHEME = /^(?:\{([A-Za-z0-9.-]{1,32})\}|\$([A-Za-z0-9-]{1,16})\$)/

/** A hash that costs what a new one costs, of a password that nobody knows. */
const DUMMY =
  '$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIQ$8v5T1n1kyU2oMhYsMxbbkQf4lJpGtWzq0rDc3aXeH7E'

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
  if (!isPassword(password)) throw new BadPassword('a password has 1 to 1024 bytes and no NUL')
  return hash(preparedPassword(password), COST)
}

/**
 * True if that is the password. A wrong one takes as long as a hash does where
 * it is stored in clear, too; the right one need not wait, since it opens anyway.
 * @throws UnusableHash when the stored form is unknown, broken or too costly
 */
export async function verifyPassword(stored: string, password: string): Promise<boolean> {
  if (!isPassword(password)) return false
  const problem = passwordProblem(stored)
  if (problem !== null) throw new UnusableHash(problem)
  const secret = clearSecret(stored)
  if (secret === null) return verifyHash(stored, password)
  if (sameText(secret, password)) return true
  await burn(password)
  return false
}

/** Takes as long as a wrong password does: for users that are not there. */
export async function burn(password: string): Promise<void> {
  if (isPassword(password)) await verify(DUMMY, password)
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
  const [, memory, time, lanes, ...texts] = argon2Parts(stored)
  if (texts.length === 0) return complaint(stored)
  return costProblem(Number(memory), Number(time), Number(lanes)) ?? textProblem(texts)
}

/** RFC 9106 section 3.1 says what is the least; the most is ours. */
function costProblem(memory: number, time: number, lanes: number): string | null {
  if (memory > MAX_MEMORY || time > MAX_TIME || lanes > MAX_PARALLELISM) {
    return `the stored hash costs too much; at most m=${MAX_MEMORY},t=${MAX_TIME},p=${MAX_PARALLELISM}`
  }
  return time > 0 && lanes > 0 && memory >= 8 * lanes ? null : BROKEN
}

/** With a tag that was cut off, the right password would look like a wrong one for ever. */
function textProblem([salt = '', tag = '']: readonly string[]): string | null {
  return isWhole(salt, 1) && isWhole(tag, 4) ? null : BROKEN
}

function argon2Parts(stored: string): readonly string[] {
  const argon2 = stored.replace(/^\{ARGON2ID?\}/i, '')
  return (argon2.length <= MAX_STORED && ARGON2.exec(argon2)) || []
}

/** True if the text is the base64 (without padding) of a multiple of so many octets. */
function isWhole(text: string, octets: number): boolean {
  const bytes = Buffer.from(text, 'base64')
  return bytes.length % octets === 0 && bytes.toString('base64').replace(/=+$/, '') === text
}

async function verifyHash(stored: string, password: string): Promise<boolean> {
  try {
    return await verify(argon2Parts(stored)[0]!, preparedPassword(password))
  } catch (error) {
    throw new UnusableHash(BROKEN, { cause: error })
  }
}

/** Names the scheme and nothing that comes after it. */
function complaint(stored: string): string {
  const [, braces, dollars] = SCHEME.exec(stored) ?? []
  const scheme = braces === undefined ? dollars && `$${dollars}$` : `{${braces}}`
  if (scheme === undefined) return 'the stored password has no scheme; make one with: mailtap hash'
  const known = /^(?:\$argon2id?\$|\{(?:ARGON2ID?|PLAIN|CLEARTEXT)\})$/i.test(scheme)
  return known ? `the stored ${scheme} password is broken` : `the scheme ${scheme} is not supported`
}

function digest(text: string): Buffer {
  return createHash('sha256').update(preparedPassword(text)).digest()
}
