/**
 * APOP (RFC 1939 section 7): the client proves that it knows the secret
 * without sending it. A server in the middle can learn the first characters of
 * the secret (CVE-2007-1558), so it is offered only where accounts ask for it.
 */
import { createHash, randomFillSync, timingSafeEqual } from 'node:crypto'
import { parseText } from './command.js'

/** Octets of a challenge that nobody can guess. */
const RANDOM = 8
/** Random octets are made many at a time: to ask for few costs as much as all else of a greeting. */
const pool = Buffer.alloc(512 * RANDOM)
let used = pool.length

/** The part before the `@` of a challenge that no other greeting will ever carry. */
export function uniqueChallenge(): string {
  return `${process.pid}.${Date.now()}.${random()}`
}

/** The arguments of APOP: a name and an MD5 in hexadecimal. @returns `null` if they are not that */
export function parseApop(argument: Buffer): { username: string; digest: Buffer } | null {
  const text = parseText(argument)
  const [, username, hex] = /^(.+) ([0-9a-fA-F]{32})$/su.exec(text ?? '') ?? []
  if (username === undefined || hex === undefined) return null
  return { username, digest: Buffer.from(hex, 'hex') }
}

/** True if the digest was made from this challenge (with its angle brackets) and this secret. */
export function provesSecret(digest: Buffer, challenge: string, secret: string): boolean {
  const expected = createHash('md5').update(challenge).update(secret).digest()
  return timingSafeEqual(expected, digest)
}

/** In hexadecimal; never the same octets twice. */
function random(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += RANDOM
  return pool.toString('hex', used - RANDOM, used)
}
