/**
 * PBKDF2 (RFC 8018 section 5.2): Dovecot's `{PBKDF2}$1$salt$rounds$hex`, passlib's
 * `$pbkdf2-sha256$rounds$salt$key`, and LDAP's `{PBKDF2-SHA512}rounds$salt$key`.
 */
import { pbkdf2 } from 'node:crypto'
import { promisify } from 'node:util'
import {
  type Body,
  BROKEN,
  fromBase64,
  fromHex,
  type Reading,
  sameBytes,
  tooCostly,
} from './scheme.js'

/** Two to four seconds on one core. */
const MAX_ROUNDS = 5_000_000
/** Octets of the digest. */
const SIZES: Readonly<Record<string, number>> = { sha1: 20, sha256: 32, sha512: 64 }
const DOVECOT = /^\$1\$([^$\n]{1,128})\$([1-9]\d{0,9})\$([\da-f]{40})$/i
const PASSLIB = /^([1-9]\d{0,9})\$([A-Za-z0-9./+]{0,172})\$([A-Za-z0-9./+]{22,172}={0,2})$/
const PREFIX = /^\$pbkdf2(?:-sha(?:1|256|512))?\$/

const stretch = promisify(pbkdf2)

interface Parts {
  readonly algorithm: string
  readonly salt: Buffer
  readonly rounds: number
  readonly key: Buffer
}

export function readPbkdf2({ text }: Body, scheme: string): Reading {
  const parts =
    dovecotParts(text) ?? passlibParts(text.replace(PREFIX, ''), algorithmOf(scheme, text))
  if (parts === null) return BROKEN
  const { algorithm, salt, rounds, key } = parts
  if (key.length !== SIZES[algorithm]) return BROKEN
  if (rounds > MAX_ROUNDS) return tooCostly(`${MAX_ROUNDS} rounds`)
  return {
    scheme: 'PBKDF2',
    quick: false,
    current: false,
    matches: async (password) =>
      sameBytes(await stretch(password, salt, rounds, key.length, algorithm), key),
  }
}

/** Dovecot takes the text of the salt as it stands there. */
function dovecotParts(text: string): Parts | null {
  const [, salt, rounds, digits] = DOVECOT.exec(text) ?? []
  const key = digits === undefined ? null : fromHex(digits)
  if (salt === undefined || key === null) return null
  return { algorithm: 'sha1', salt: Buffer.from(salt), rounds: Number(rounds), key }
}

/** Passlib writes `.` for the `+` of base64. */
function passlibParts(text: string, algorithm: string): Parts | null {
  const [, rounds, salt = '', digits = ''] = PASSLIB.exec(text) ?? []
  const saltOctets = fromBase64(salt.replaceAll('.', '+'))
  const key = fromBase64(digits.replaceAll('.', '+'))
  if (rounds === undefined || saltOctets === null || key === null) return null
  return { algorithm, salt: saltOctets, rounds: Number(rounds), key }
}

/** The name says it, `{PBKDF2-SHA512}`, or the form itself; without a word of it, it is SHA-1. */
function algorithmOf(scheme: string, text: string): string {
  return (
    /sha(?:1|256|512)/.exec(`${scheme.toLowerCase()} ${PREFIX.exec(text)?.[0] ?? ''}`)?.[0] ??
    'sha1'
  )
}
