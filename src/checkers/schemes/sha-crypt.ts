/** SHA256-CRYPT (`$5$`) and SHA512-CRYPT (`$6$`) of crypt(3), after Drepper's description of 2007. */
import { createHash, randomBytes } from 'node:crypto'
import { digitsFrom, toCrypt64 } from './crypt64.js'

/** Rounds of a form that does not say how many. */
const DEFAULT_ROUNDS = 5_000
const MIN_ROUNDS = 1_000
/** Two or three seconds on one core. */
export const MAX_SHA_ROUNDS = 1_000_000
/** Rounds of a new form: as slow to guess as other programs make it today. */
const NEW_ROUNDS = 100_000
const SALT_DIGITS = 16

/** What a stored form must look like: id, rounds, salt, digest. */
export const SHA_CRYPT =
  /^\$([56])\$(?:rounds=(\d{1,9})\$)?([^$:\n]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/

interface Variant {
  readonly algorithm: string
  readonly order: readonly (readonly number[])[]
}

const VARIANTS: Readonly<Record<string, Variant>> = {
  5: { algorithm: 'sha256', order: [...groups(10, [2, 0, 1]), [31, 30]] },
  6: { algorithm: 'sha512', order: [...groups(21, [1, 2, 0]), [63]] },
}

/** How many rounds a form asks for; it means at least a thousand, whatever it says. */
export function shaRounds(setting: string): number {
  const said = SHA_CRYPT.exec(setting)?.[2]
  return said === undefined ? DEFAULT_ROUNDS : Math.max(Number(said), MIN_ROUNDS)
}

/**
 * The stored form of the password with the salt and the rounds of another one.
 * @param setting matches {@link SHA_CRYPT}
 */
export function shaCrypt(password: string, setting: string): string {
  const [, id = '', , salt = ''] = SHA_CRYPT.exec(setting) ?? []
  const { algorithm, order } = VARIANTS[id]!
  const digest = stretched(Buffer.from(password), Buffer.from(salt), shaRounds(setting), algorithm)
  return `${setting.slice(0, setting.lastIndexOf('$') + 1)}${toCrypt64(digest, order)}`
}

/** A form with a salt of its own, whose digest is still to be made. */
export function newShaSetting(): string {
  const salt = digitsFrom(randomBytes(SALT_DIGITS))
  return `$6$rounds=${NEW_ROUNDS}$${salt}$${'.'.repeat(86)}`
}

function stretched(key: Buffer, salt: Buffer, rounds: number, algorithm: string): Buffer {
  const hashOf = (...parts: readonly Uint8Array[]): Buffer => {
    const hash = createHash(algorithm)
    for (const part of parts) hash.update(part)
    return hash.digest()
  }
  let digest = hashOf(...beginning(key, salt, hashOf(key, salt, key)))
  const keys = filled(key.length, hashOf(...Array.from(key, () => key)))
  const repeats = Array.from({ length: 16 + digest[0]! }, () => salt)
  const salts = filled(salt.length, hashOf(...repeats))
  for (let round = 0; round < rounds; round++) {
    const hash = createHash(algorithm).update(round % 2 === 1 ? keys : digest)
    if (round % 3 !== 0) hash.update(salts)
    if (round % 7 !== 0) hash.update(keys)
    digest = hash.update(round % 2 === 1 ? digest : keys).digest()
  }
  return digest
}

/** What the first digest is made of; the bits of the key's length decide. */
function beginning(key: Buffer, salt: Buffer, inner: Buffer): Uint8Array[] {
  const parts = [key, salt, filled(key.length, inner)]
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits % 2 === 1 ? inner : key)
  return parts
}

/** So many octets, the digest over and over. */
function filled(length: number, digest: Buffer): Buffer {
  return length === 0 ? Buffer.alloc(0) : Buffer.alloc(length, digest)
}

/** Begins with the places 0, a third, two thirds; each group is the one before, turned, plus one. */
function groups(count: number, turn: readonly number[]): number[][] {
  const all = [[0, count, 2 * count]]
  while (all.length < count) {
    const last = all.at(-1)!
    all.push(turn.map((at) => last[at]! + 1))
  }
  return all
}
