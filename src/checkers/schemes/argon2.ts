/**
 * Argon2 (RFC 9106) in the form that its reference program prints: the scheme of new
 * passwords. The one door to the package argon2, which works on libuv's threads.
 */
import { argon2id, hash, verify } from 'argon2'
import { type Body, BROKEN, fromBase64, type Reading, tooCostly } from './scheme.js'

/** What a new hash costs: 19 MiB, two passes; memoryCost in KiB. */
const COST = { type: argon2id, memoryCost: 19_456, timeCost: 2, parallelism: 1 } as const
/** What a hash from a file may cost at most; more would be an attack on the machine. */
const MAX_MEMORY = 262_144
const MAX_TIME = 16
const MAX_PARALLELISM = 8
/** Octets. */
const MIN_TAG = 4

const FORM =
  /^\$argon2(id?)\$v=19\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([A-Za-z0-9+/]{11,128})\$([A-Za-z0-9+/]{16,256})$/

/** A hash that costs what a new one costs, of a password that nobody knows. */
const DUMMY =
  '$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIQ$8v5T1n1kyU2oMhYsMxbbkQf4lJpGtWzq0rDc3aXeH7E'

interface Cost {
  /** KiB. */
  readonly memory: number
  readonly time: number
  readonly lanes: number
}

export function readArgon2({ text }: Body, scheme: string): Reading {
  const [, variant, memory, time, lanes, salt = '', tag = ''] = FORM.exec(text) ?? []
  if (variant === undefined) return { problem: `the stored ${shown(scheme)} password is broken` }
  const cost = { memory: Number(memory), time: Number(time), lanes: Number(lanes) }
  const problem = problemOf(cost)
  if (problem !== null) return problem
  // With a tag that was cut off, the right password would look like a wrong one for ever.
  const whole = fromBase64(salt) !== null && (fromBase64(tag)?.length ?? 1) % MIN_TAG === 0
  if (!whole) return BROKEN
  return {
    scheme: `ARGON2${variant.toUpperCase()}`,
    quick: false,
    current: variant === 'id' && isCurrent(cost),
    matches: (password) => verify(text, password),
  }
}

/** The stored form of a new password. */
export function newArgon2(password: string): Promise<string> {
  return hash(password, COST)
}

/** Takes as long as a check against a new hash does. */
export async function burnArgon2(password: string): Promise<void> {
  await verify(DUMMY, password)
}

/** RFC 9106 section 3.1 says what is the least; the most is ours. */
function problemOf({ memory, time, lanes }: Cost): { readonly problem: string } | null {
  if (memory > MAX_MEMORY || time > MAX_TIME || lanes > MAX_PARALLELISM) {
    return tooCostly(`m=${MAX_MEMORY},t=${MAX_TIME},p=${MAX_PARALLELISM}`)
  }
  return time > 0 && lanes > 0 && memory >= 8 * lanes ? null : BROKEN
}

/** More memory with fewer passes is as good: the product counts. */
function isCurrent({ memory, time }: Cost): boolean {
  return memory >= COST.memoryCost && memory * time >= COST.memoryCost * COST.timeCost
}

const shown = (scheme: string): string => (scheme.startsWith('$') ? scheme : `{${scheme}}`)
