/**
 * bcrypt (Provos and Mazières 1999): `$2a$`, `$2b$`, `$2y$`, which are one and the same for passwords
 * below 256 octets. Of longer ones than 72 octets it only ever sees the first 72.
 */
import { randomBytes } from 'node:crypto'
import { Blowfish } from './blowfish.js'

/** The cost is the binary logarithm of the rounds; 14 takes a second or two. */
export const MAX_BCRYPT_COST = 14
const MIN_COST = 4
const NEW_COST = 12
const SALT_OCTETS = 16
/** Octets of a password that count. */
export const MAX_BCRYPT_KEY = 72
/** What a stored form must look like: cost, salt, digest. */
export const BCRYPT = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{22})([./A-Za-z0-9]{31})$/

const DIGITS = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
/** Enciphered again and again, it becomes the digest. */
const TEXT = 'OrpheanBeholderScryDoubt'
/** The last octet of the text never counts: the first program forgot it. */
const DIGEST_OCTETS = 23
const NO_SALT = new Int32Array(4)

/** The cost that a form asks for; `null` if no program takes it. */
export function bcryptCost(setting: string): number | null {
  const cost = Number(BCRYPT.exec(setting)?.[1] ?? 0)
  return cost >= MIN_COST && cost <= 31 ? cost : null
}

/**
 * The stored form of the password with the salt and the cost of another one.
 * @param setting matches {@link BCRYPT}
 */
export function bcrypt(password: string, setting: string): string {
  const salt = setting.slice(7, 29)
  const cipher = scheduled(Buffer.from(password), octetsOf(salt), bcryptCost(setting) ?? MIN_COST)
  const words = wordsOf(Buffer.from(TEXT), TEXT.length / 4)
  for (let round = 0; round < 64; round++) {
    for (let at = 0; at < words.length; at += 2) cipher.encipher(words, at)
  }
  const digest = Buffer.alloc(TEXT.length)
  words.forEach((word, at) => digest.writeInt32BE(word, at * 4))
  return setting.slice(0, 29) + digitsOf(digest.subarray(0, DIGEST_OCTETS))
}

/** A form with a salt of its own, whose digest is still to be made. */
export function newBcryptSetting(): string {
  return `$2b$${NEW_COST}$${digitsOf(randomBytes(SALT_OCTETS))}${'.'.repeat(31)}`
}

/** Key and salt in turns, 2 to the power of the cost times. */
function scheduled(password: Buffer, salt: Buffer, cost: number): Blowfish {
  // The NUL at its end is part of the key, which is why "" has one.
  const key = wordsOf(Buffer.concat([password, Buffer.alloc(1)]).subarray(0, MAX_BCRYPT_KEY), 18)
  const cipher = new Blowfish()
  cipher.expand(key, wordsOf(salt, 4))
  const saltKey = wordsOf(salt, 18)
  for (let round = 0; round < 2 ** cost; round++) {
    cipher.expand(key, NO_SALT)
    cipher.expand(saltKey, NO_SALT)
  }
  return cipher
}

/** So many words of four octets, the octets over and over. */
function wordsOf(octets: Buffer, count: number): Int32Array {
  const all = Buffer.alloc(count * 4, octets)
  return Int32Array.from({ length: count }, (_, at) => all.readInt32BE(at * 4))
}

function octetsOf(digits: string): Buffer {
  return Buffer.from(
    Array.from(digits, (digit) => BASE64[DIGITS.indexOf(digit)]).join(''),
    'base64',
  ).subarray(0, SALT_OCTETS)
}

/** Like base64, with other digits and no padding. */
function digitsOf(octets: Buffer): string {
  const digits = octets.toString('base64').replace(/=+$/, '')
  return Array.from(digits, (digit) => DIGITS[BASE64.indexOf(digit)]).join('')
}
