/**
 * A digest of the password, with or without a salt behind it, in the spellings of LDAP
 * (RFC 2307 section 5.3 and what grew out of it), Dovecot and htpasswd: {SHA}, {SSHA512}, {SMD5} …
 * Quick to check and as quick to guess: good only for passwords that nobody can guess.
 */
import { createHash, randomBytes } from 'node:crypto'
import { type Body, BROKEN, fromBase64, fromHex, type Reading, sameBytes } from './scheme.js'

interface Kind {
  readonly algorithm: string
  /** Octets of the digest. */
  readonly size: number
  readonly salted: boolean
}

const kind = (algorithm: string, size: number, salted = false): Kind => ({
  algorithm,
  size,
  salted,
})
const KINDS: Readonly<Record<string, Kind>> = {
  SHA: kind('sha1', 20),
  SHA1: kind('sha1', 20),
  SHA256: kind('sha256', 32),
  SHA512: kind('sha512', 64),
  SSHA: kind('sha1', 20, true),
  SSHA256: kind('sha256', 32, true),
  SSHA512: kind('sha512', 64, true),
  SMD5: kind('md5', 16, true),
  'LDAP-MD5': kind('md5', 16),
  'PLAIN-MD5': kind('md5', 16),
}
/** Octets. */
const MAX_SALT = 128
const NEW_SALT = 16

/** The names that {@link readDigest} knows. */
export const DIGESTS: readonly string[] = Object.keys(KINDS)

export function readDigest(body: Body, scheme: string): Reading {
  const { algorithm, size, salted } = KINDS[scheme]!
  const bytes = body.decoded ?? octetsOf(body.text, size)
  const salt = bytes?.subarray(size)
  if (bytes === null || salt === undefined || bytes.length < size) return BROKEN
  if (salted ? salt.length === 0 || salt.length > MAX_SALT : salt.length > 0) return BROKEN
  const digest = (password: string): Buffer =>
    createHash(algorithm).update(password).update(salt).digest()
  return {
    scheme,
    quick: true,
    current: false,
    matches: async (password) => sameBytes(digest(password), bytes.subarray(0, size)),
  }
}

/** The stored form `{SSHA512}…` of a password. */
export function newSsha512(password: string): string {
  const salt = randomBytes(NEW_SALT)
  const digest = createHash('sha512').update(password).update(salt).digest()
  return `{SSHA512}${Buffer.concat([digest, salt]).toString('base64')}`
}

/** Dovecot takes hexadecimal digits also where the name does not say so, by their number. */
function octetsOf(text: string, size: number): Buffer | null {
  const hex = text.length === 2 * size ? fromHex(text) : null
  return hex ?? fromBase64(text)
}
