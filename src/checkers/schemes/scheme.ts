/** What a family of stored passwords brings: it reads the stored form, and then tells which password it is of. */
import { timingSafeEqual } from 'node:crypto'

/** A stored password whose form was understood. */
export interface Stored {
  /** In Dovecot's spelling: `SHA512-CRYPT`. */
  readonly scheme: string
  /** True if a check takes microseconds: it could be tried by the million. */
  readonly quick: boolean
  /** True if nothing better is made today: the form of a new password, and not cheaper. */
  readonly current: boolean
  /**
   * True if that is the password. Takes its time on another thread unless `quick`.
   * @throws Error when it cannot be worked out here
   */
  matches(password: string): Promise<boolean>
}

/** What was read of a stored form; a problem is in words that never show the form itself. */
export type Reading = Stored | { readonly problem: string }

/**
 * Reads what stands behind the name of a scheme. Works out nothing, so it is quick.
 * @param scheme in capitals, without an encoding
 */
export type Reader = (bytes: Body, scheme: string) => Reading

/** What stands behind the name. */
export interface Body {
  /** As it stands there, or decoded where the name says how it is encoded. */
  readonly text: string
  /** Where the name said how it is encoded: the octets. */
  readonly decoded: Buffer | null
}

/** For a form that is cut off or misspelt. */
export const BROKEN = { problem: 'the stored hash is broken' } as const

/** @param most what is still worked out, in the words of the form */
export function tooCostly(most: string): { readonly problem: string } {
  return { problem: `the stored hash costs too much; at most ${most}` }
}

/** Compares in a time that does not depend on where the two differ; their lengths are no secret. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}

/**
 * The octets behind base64 (padding may be missing), or `null` if it is none: spare bits must be 0,
 * else two texts would stand for one hash, and a text that was cut off would look whole.
 */
export function fromBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, 'base64')
  const bare = text.replace(/={0,2}$/, '')
  return bytes.toString('base64').replace(/={0,2}$/, '') === bare ? bytes : null
}

/** The octets behind hexadecimal digits of either case, or `null` if it is none. */
export function fromHex(text: string): Buffer | null {
  return text.length % 2 === 0 && /^[\da-f]*$/i.test(text) ? Buffer.from(text, 'hex') : null
}
