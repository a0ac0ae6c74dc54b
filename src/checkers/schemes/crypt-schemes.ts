/** The stored forms of crypt(3) that cost time on one core: SHA-CRYPT, MD5-CRYPT, bcrypt. */
import { BCRYPT, bcryptCost, MAX_BCRYPT_COST } from './bcrypt.js'
import { cryptAside } from './crypt-threads.js'
import { MD5_CRYPT } from './md5-crypt.js'
import { type Body, BROKEN, type Reading, sameBytes, type Stored, tooCostly } from './scheme.js'
import { MAX_SHA_ROUNDS, SHA_CRYPT, shaRounds } from './sha-crypt.js'

export function readShaCrypt({ text }: Body): Reading {
  const [, id, , , digest] = SHA_CRYPT.exec(text) ?? []
  if (digest?.length !== (id === '5' ? 43 : 86)) return BROKEN
  if (shaRounds(text) > MAX_SHA_ROUNDS) return tooCostly(`rounds=${MAX_SHA_ROUNDS}`)
  return aside(id === '5' ? 'SHA256-CRYPT' : 'SHA512-CRYPT', text)
}

export function readMd5Crypt({ text }: Body): Reading {
  return MD5_CRYPT.test(text) ? aside('MD5-CRYPT', text) : BROKEN
}

export function readBcrypt({ text }: Body): Reading {
  const cost = BCRYPT.test(text) ? bcryptCost(text) : null
  if (cost === null) return BROKEN
  return cost > MAX_BCRYPT_COST
    ? tooCostly(`a cost of ${MAX_BCRYPT_COST}`)
    : aside('BLF-CRYPT', text)
}

function aside(scheme: string, form: string): Stored {
  const matches = async (password: string): Promise<boolean> =>
    sameBytes(Buffer.from(await cryptAside(password, form)), Buffer.from(form))
  return { scheme, quick: false, current: false, matches }
}
