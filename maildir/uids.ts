/** Unique ids of messages (RFC 1939 section 7): from names that never change, never from content or flags. */
import { createHash } from 'node:crypto'
import { uniquePart } from './names.js'

/** What UIDL may say. */
const SPEAKABLE = /^[!-~]{1,70}$/

/**
 * An id per base, in the same order: the unique part of the name where that
 * is fit and alone, else a hash.
 * @param bases all different
 */
export function uidsOf(bases: readonly string[]): readonly string[] {
  const parts = bases.map(uniquePart)
  const times = new Map<string, number>()
  for (const part of parts) times.set(part, (times.get(part) ?? 0) + 1)
  return parts.map((part, at) => {
    if (times.get(part) !== 1) return hash(bases[at]!)
    return SPEAKABLE.test(part) ? part : hash(part)
  })
}

function hash(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('hex')
}
