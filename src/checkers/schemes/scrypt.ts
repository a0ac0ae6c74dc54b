/** scrypt (RFC 7914) in the form of passlib (`$scrypt$ln=16,r=8,p=1$…`) and of crypt(3) (`$7$…`). */
import { scrypt } from 'node:crypto'
import { crypt64Number, toCrypt64 } from './crypt64.js'
import { type Body, BROKEN, fromBase64, type Reading, sameBytes, tooCostly } from './scheme.js'

const PASSLIB =
  /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,8}),p=(\d{1,8})\$([A-Za-z0-9+/]{0,172})\$([A-Za-z0-9+/]{22,172})$/
const CRYPT =
  /^\$7\$([./0-9A-Za-z])([./0-9A-Za-z]{5})([./0-9A-Za-z]{5})([^$:\n]{0,128})\$([./0-9A-Za-z]{43})$/
/** Octets; 128·N·r of them are at work. */
const MAX_MEMORY = 256 * 1024 * 1024
/** Times the memory is gone over. */
const MAX_PARALLELISM = 16
/** Octets over which all passes together may go: a second or two. */
const MAX_WORK = 1024 * 1024 * 1024
const COST_WORDS = 'ln=18,r=8,p=4'

interface Parameters {
  /** The binary logarithm of N. */
  readonly log: number
  readonly r: number
  readonly p: number
}

interface Parts extends Parameters {
  readonly salt: Buffer
  readonly key: Buffer
}

export function readScrypt({ text }: Body): Reading {
  const parts = passlibParts(text) ?? cryptParts(text)
  if (parts === null) return BROKEN
  const { log, r, p, salt, key } = parts
  if (log < 1 || r < 1 || p < 1) return BROKEN
  const memory = 128 * 2 ** log * r
  if (memory > MAX_MEMORY || p > MAX_PARALLELISM || memory * p > MAX_WORK) {
    return tooCostly(COST_WORDS)
  }
  return {
    scheme: 'SCRYPT',
    quick: false,
    current: false,
    matches: async (password) => sameBytes(await derive(password, salt, key.length, parts), key),
  }
}

function passlibParts(text: string): Parts | null {
  const [, log, r, p, salt = '', key = ''] = PASSLIB.exec(text) ?? []
  const [saltOctets, keyOctets] = [fromBase64(salt), fromBase64(key)]
  if (log === undefined || saltOctets === null || keyOctets === null) return null
  return { log: Number(log), r: Number(r), p: Number(p), salt: saltOctets, key: keyOctets }
}

function cryptParts(text: string): Parts | null {
  const [, log = '', r = '', p = '', salt = '', key] = CRYPT.exec(text) ?? []
  if (key === undefined) return null
  const octets = octetsOf(key)
  const numbers = { log: crypt64Number(log)!, r: crypt64Number(r)!, p: crypt64Number(p)! }
  // The salt is the text itself: nothing is decoded.
  return octets && { ...numbers, salt: Buffer.from(salt), key: octets }
}

/** 43 digits, each four of them three octets, the lowest first. */
function octetsOf(digits: string): Buffer | null {
  const groups = digits.match(/.{1,4}/g) ?? []
  const octets = groups.flatMap((group) => {
    const value = crypt64Number(group)!
    const all = [value & 255, (value >>> 8) & 255, (value >>> 16) & 255]
    return all.slice(0, Math.floor((group.length * 6) / 8))
  })
  const bytes = Buffer.from(octets)
  return toCrypt64(bytes, ORDER) === digits ? bytes : null
}

/** Of 32 octets. */
const ORDER = Array.from({ length: 11 }, (_, group) =>
  [2, 1, 0].map((at) => group * 3 + at).filter((at) => at < 32),
)

function derive(password: string, salt: Buffer, size: number, cost: Parameters): Promise<Buffer> {
  const { log, r, p } = cost
  // OpenSSL counts some more than the block that the algorithm names.
  const options = { N: 2 ** log, r, p, maxmem: 2 * MAX_MEMORY }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, size, options, (error, key) => {
      if (error === null) resolve(key)
      else reject(error)
    })
  })
}
