/**
 * What a server keeps so that somebody can log in with SCRAM-SHA-256 (RFC 5802
 * section 3, RFC 7677): enough to check a proof, not enough to make one.
 */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { preparedPassword } from './saslprep.js'

/** Told to a client before it can prove anything. */
export interface ScramChallenge {
  readonly salt: Buffer
  readonly iterations: number
}

/** The two keys that a proof is checked with; 32 octets each. */
export interface ScramKeys {
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** All that is stored of a password. */
export interface ScramRecord extends ScramChallenge, ScramKeys {}

/** Octets of a new salt. */
export const SALT_OCTETS = 16
/**
 * What a new record costs. The file also holds an argon2id hash, and the
 * cheaper of the two is what a thief would attack: so it is far more than the
 * 4,096 of RFC 7677. The client pays it at each login, 30 to 100 ms; we never do.
 */
export const ITERATIONS = 100_000
/** RFC 7677 section 4. */
const MIN_ITERATIONS = 4_096
/** More would make a mail program look dead. */
const MAX_ITERATIONS = 10_000_000
/** Of SHA-256. */
const KEY_OCTETS = 32
const MAX_SALT_OCTETS = 128
const MAX_TEXT = 512
const RECORD =
  /^SCRAM-SHA-256\$([1-9]\d{3,7}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/

const stretch = promisify(pbkdf2)

/** Makes a record for a new password, with a salt of its own. */
export function newScramRecord(password: string): Promise<ScramRecord> {
  return deriveScram(password, { salt: randomBytes(SALT_OCTETS), iterations: ITERATIONS })
}

/** Makes the keys of a password on a thread of libuv's pool: the caller bounds how many at once. */
export async function deriveScram(
  password: string,
  { salt, iterations }: ScramChallenge,
): Promise<ScramRecord> {
  const text = preparedPassword(password)
  const salted = await stretch(text, salt, iterations, KEY_OCTETS, 'sha256')
  const clientKey = createHmac('sha256', salted).update('Client Key').digest()
  return {
    salt,
    iterations,
    storedKey: createHash('sha256').update(clientKey).digest(),
    serverKey: createHmac('sha256', salted).update('Server Key').digest(),
  }
}

/** The form of a user file, which is PostgreSQL's: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`. */
export function formatScram({ salt, iterations, storedKey, serverKey }: ScramRecord): string {
  const base64 = (bytes: Buffer): string => bytes.toString('base64')
  return `SCRAM-SHA-256$${iterations}:${base64(salt)}$${base64(storedKey)}:${base64(serverKey)}`
}

/** @returns `null` if the text is no such record, or one with unreasonable numbers */
export function parseScram(text: string): ScramRecord | null {
  const [, digits, ...fields] = RECORD.exec(text.slice(0, MAX_TEXT)) ?? []
  const iterations = Number(digits)
  const [salt, storedKey, serverKey] = fields.map((field) => Buffer.from(field, 'base64'))
  if (salt === undefined || storedKey === undefined || serverKey === undefined) return null
  const fair = iterations >= MIN_ITERATIONS && iterations <= MAX_ITERATIONS
  return fair && salt.length <= MAX_SALT_OCTETS ? { salt, iterations, storedKey, serverKey } : null
}
