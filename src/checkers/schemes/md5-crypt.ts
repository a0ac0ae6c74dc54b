/**
 * MD5-CRYPT: `$1$` of FreeBSD's and Linux' crypt(3), and `$apr1$` of Apache's htpasswd, which
 * differs in its name only. A thousand rounds that nobody can change; long outdated.
 */
import { createHash } from 'node:crypto'
import { toCrypt64 } from './crypt64.js'

const ROUNDS = 1_000
/** Which octets of the digest stand together. */
const ORDER = [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5], [11]]

/** What a stored form must look like. */
export const MD5_CRYPT = /^(\$1\$|\$apr1\$)([^$:\n]{0,8})\$([./0-9A-Za-z]{22})$/

/**
 * The stored form of the password with the salt of another one.
 * @param setting matches {@link MD5_CRYPT}
 */
export function md5Crypt(password: string, setting: string): string {
  const [, magic = '', salt = ''] = MD5_CRYPT.exec(setting) ?? []
  const key = Buffer.from(password)
  const salted = Buffer.from(salt)
  let digest = first(key, magic, salted)
  for (let round = 0; round < ROUNDS; round++) {
    const hash = createHash('md5').update(round % 2 === 1 ? key : digest)
    if (round % 3 !== 0) hash.update(salted)
    if (round % 7 !== 0) hash.update(key)
    digest = hash.update(round % 2 === 1 ? digest : key).digest()
  }
  return `${magic}${salt}$${toCrypt64(digest, ORDER)}`
}

function first(key: Buffer, magic: string, salt: Buffer): Buffer {
  const inner = createHash('md5').update(key).update(salt).update(key).digest()
  const hash = createHash('md5').update(key).update(magic).update(salt)
  for (let left = key.length; left > 0; left -= inner.length) hash.update(inner.subarray(0, left))
  for (let bits = key.length; bits > 0; bits >>= 1) {
    // A NUL where one would expect the digest: the first program had that mistake, so all do.
    hash.update(bits % 2 === 1 ? '\0' : key.subarray(0, 1))
  }
  return hash.digest()
}
