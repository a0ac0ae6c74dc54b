/** The stored form of a new password, in any of the schemes that make sense today. */
import { randomBytes } from 'node:crypto'
import { deriveScram, formatScram, ITERATIONS, newScramRecord, SALT_OCTETS } from '../cred/scram.js'
import type { StoredLogin } from '../directory/directory.js'
import { BadPassword, hashPassword, newPassword } from './passwords.js'
import { MAX_BCRYPT_KEY, newBcryptSetting } from './schemes/bcrypt.js'
import { cryptAside } from './schemes/crypt-threads.js'
import { newSsha512 } from './schemes/digest.js'
import { newShaSetting } from './schemes/sha-crypt.js'

/** By the names that people give: each makes the stored form. */
const MAKERS = {
  argon2id: hashPassword,
  bcrypt: newBcrypt,
  'sha512-crypt': (password: string) => cryptAside(newPassword(password), newShaSetting()),
  ssha512: async (password: string) => newSsha512(newPassword(password)),
  'scram-sha-256': newStoredScram,
  plain: async (password: string) => `{PLAIN}${password}`,
} as const

/** A scheme that new passwords can be stored in. */
export type NewScheme = keyof typeof MAKERS

/** All of them, the one to take first. */
export const NEW_SCHEMES = Object.keys(MAKERS) as readonly NewScheme[]

/**
 * Makes the stored form of a new password.
 * @throws BadPassword
 */
export function storedForm(password: string, scheme: NewScheme = 'argon2id'): Promise<string> {
  return MAKERS[scheme](password)
}

/**
 * Makes all that is stored of a new password: also the keys of SCRAM, which no hash can serve.
 * @throws BadPassword
 */
export async function newLogin(
  password: string,
  scheme: NewScheme = 'argon2id',
): Promise<StoredLogin> {
  const stored = await storedForm(password, scheme)
  // These two are all that SCRAM needs, and can not get out of step with keys beside them.
  const scram = scheme === 'plain' || scheme === 'scram-sha-256' ? null : await newKeys(password)
  return { stored, scram }
}

async function newKeys(password: string): Promise<string> {
  return formatScram(await newScramRecord(password))
}

/** @throws BadPassword also when not all of it would count */
async function newBcrypt(password: string): Promise<string> {
  const text = newPassword(password)
  if (Buffer.byteLength(text) > MAX_BCRYPT_KEY) {
    throw new BadPassword(`bcrypt takes ${MAX_BCRYPT_KEY} bytes of a password and no more`)
  }
  return cryptAside(text, newBcryptSetting())
}

/** As Dovecot writes it. */
async function newStoredScram(password: string): Promise<string> {
  const challenge = { salt: randomBytes(SALT_OCTETS), iterations: ITERATIONS }
  const { storedKey, serverKey } = await deriveScram(newPassword(password), challenge)
  const fields = [challenge.salt, storedKey, serverKey].map((each) => each.toString('base64'))
  return `{SCRAM-SHA-256}${[ITERATIONS, ...fields].join(',')}`
}
