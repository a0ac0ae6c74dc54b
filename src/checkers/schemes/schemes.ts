/**
 * The table of stored forms: which family reads what, by `{SCHEME}`, `{SCHEME.B64}`, `{SCHEME.HEX}` or
 * the `$id$` at the beginning, as Dovecot, LDAP, htpasswd and shadow(5) write them.
 */
import { readArgon2 } from './argon2.js'
import { readCramMd5 } from './cram-md5.js'
import { readBcrypt, readMd5Crypt, readShaCrypt } from './crypt-schemes.js'
import { DIGESTS, readDigest } from './digest.js'
import { readPbkdf2 } from './pbkdf2.js'
import { fromBase64, fromHex, type Reader, type Reading } from './scheme.js'
import { readScramStored } from './scram-stored.js'
import { readScrypt } from './scrypt.js'

/** Characters of a stored form. */
const MAX_STORED = 1_024
const NAME = /^\{([A-Za-z0-9-]{1,32})(?:\.([A-Za-z0-9]{1,8}))?\}/
const ID = /^\$([A-Za-z0-9-]{1,16})\$/

/** By what stands between the first two `$`. */
const BY_ID: Readonly<Record<string, Reader>> = {
  argon2id: readArgon2,
  argon2i: readArgon2,
  '1': readMd5Crypt,
  apr1: readMd5Crypt,
  '2a': readBcrypt,
  '2b': readBcrypt,
  '2y': readBcrypt,
  '5': readShaCrypt,
  '6': readShaCrypt,
  '7': readScrypt,
  scrypt: readScrypt,
  pbkdf2: readPbkdf2,
  'pbkdf2-sha1': readPbkdf2,
  'pbkdf2-sha256': readPbkdf2,
  'pbkdf2-sha512': readPbkdf2,
}

/** Names in front of a form that has an id of its own, and the ids that they may stand before. */
const WRAPPERS: Readonly<Record<string, readonly string[]>> = {
  CRYPT: Object.keys(BY_ID),
  ARGON2: ['argon2id', 'argon2i'],
  ARGON2ID: ['argon2id'],
  ARGON2I: ['argon2i'],
  'BLF-CRYPT': ['2a', '2b', '2y'],
  'MD5-CRYPT': ['1', 'apr1'],
  MD5: ['1', 'apr1'],
  'SHA256-CRYPT': ['5'],
  'SHA512-CRYPT': ['6'],
  SCRYPT: ['7', 'scrypt'],
}

const BY_NAME: Readonly<Record<string, Reader>> = {
  ...Object.fromEntries(DIGESTS.map((name) => [name, readDigest])),
  'CRAM-MD5': readCramMd5,
  'HMAC-MD5': readCramMd5,
  PBKDF2: readPbkdf2,
  'PBKDF2-SHA1': readPbkdf2,
  'PBKDF2-SHA256': readPbkdf2,
  'PBKDF2-SHA512': readPbkdf2,
  'SCRAM-SHA-1': readScramStored,
  'SCRAM-SHA-256': readScramStored,
}

/**
 * Reads a stored form other than a clear one. Works out nothing, so it is quick; never throws.
 * @param stored any text
 */
export function readStored(stored: string): Reading {
  if (stored.length > MAX_STORED) return { problem: 'the stored password is too long' }
  const [prefix, said, encoding = ''] = NAME.exec(stored) ?? []
  if (prefix === undefined || said === undefined) return byId(stored)
  const name = said.toUpperCase()
  const reader = Object.hasOwn(BY_NAME, name) ? BY_NAME[name]! : wrapperOf(name)
  if (reader === null) return unsupported(`{${said}}`)
  const rest = stored.slice(prefix.length)
  const decoded = decode(rest, encoding.toUpperCase())
  if (decoded === undefined) return broken(`{${said}}`)
  return reader({ text: decoded?.toString() ?? rest, decoded }, name)
}

/** Of a name in front of a form with an id; `null` if it is none. */
function wrapperOf(name: string): Reader | null {
  const ids = Object.hasOwn(WRAPPERS, name) ? WRAPPERS[name]! : null
  if (ids === null) return null
  return ({ text }) => {
    const id = ID.exec(text)?.[1]
    if (name === 'CRYPT') return id === undefined ? OLD_CRYPT : byId(text)
    return id !== undefined && ids.includes(id) ? byId(text) : broken(`{${name}}`)
  }
}

function byId(text: string): Reading {
  const id = ID.exec(text)?.[1]
  if (id === undefined) {
    return { problem: 'the stored password has no scheme; make one with: mailtap hash' }
  }
  if (!Object.hasOwn(BY_ID, id)) return unsupported(`$${id}$`)
  return BY_ID[id]!({ text, decoded: null }, `$${id}$`)
}

/** Thirteen letters of DES, which a child can guess. */
const OLD_CRYPT = { problem: 'the scheme {CRYPT} is not supported unless a form with $id$ follows' }

/** @returns `null` if nothing is said of an encoding, `undefined` if it is not the one that is said */
function decode(text: string, encoding: string): Buffer | null | undefined {
  if (encoding === '') return null
  if (encoding === 'HEX') return fromHex(text) ?? undefined
  return encoding === 'B64' || encoding === 'BASE64' ? (fromBase64(text) ?? undefined) : undefined
}

/** Names the scheme and nothing that comes after it. */
const unsupported = (scheme: string): Reading => ({
  problem: `the scheme ${scheme}${ALSO[scheme] ?? ''} is not supported`,
})
const broken = (scheme: string): Reading => ({ problem: `the stored ${scheme} password is broken` })

/** For people who meet these for the first time in /etc/shadow. */
const ALSO: Readonly<Record<string, string>> = { $y$: ' (yescrypt)', $gy$: ' (gost-yescrypt)' }
