/**
 * The keys of SCRAM (RFC 5802 section 3, RFC 7677) as the stored form of a password: Dovecot's
 * `{SCRAM-SHA-256}rounds,salt,StoredKey,ServerKey`. They also tell whether a password is the one.
 */
import { createHash, createHmac, pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import { type Body, BROKEN, fromBase64, type Reading, sameBytes, tooCostly } from './scheme.js'

/** Two to four seconds on one core. */
const MAX_ROUNDS = 5_000_000
const SIZES: Readonly<Record<string, number>> = { 'SCRAM-SHA-1': 20, 'SCRAM-SHA-256': 32 }
const FORM =
  /^([1-9]\d{0,9}),([A-Za-z0-9+/]{4,172}={0,2}),([A-Za-z0-9+/]{27,43}=),([A-Za-z0-9+/]{27,43}=)$/

const stretch = promisify(pbkdf2)

export function readScramStored({ text }: Body, scheme: string): Reading {
  const [, digits, said = '', stored = '', server = ''] = FORM.exec(text) ?? []
  if (digits === undefined) return BROKEN
  const [salt, storedKey, serverKey] = [fromBase64(said), fromBase64(stored), fromBase64(server)]
  const size = SIZES[scheme]!
  const rounds = Number(digits)
  if (salt === null || storedKey?.length !== size || serverKey?.length !== size) return BROKEN
  if (rounds > MAX_ROUNDS) return tooCostly(`${MAX_ROUNDS} rounds`)
  const algorithm = size === 20 ? 'sha1' : 'sha256'
  const matches = async (password: string): Promise<boolean> => {
    const salted = await stretch(password, salt, rounds, size, algorithm)
    const clientKey = createHmac(algorithm, salted).update('Client Key').digest()
    return sameBytes(createHash(algorithm).update(clientKey).digest(), storedKey)
  }
  return { scheme, quick: false, current: false, matches }
}
