/** Unique ids of messages (RFC 1939 section 7): from names that never change, never from content or flags. */
import type { KeptUids } from './kept-uids.js'
import { uniquePart } from './names.js'

/** What UIDL may say. */
const SPEAKABLE = /^[!-~]{1,70}$/

/** The id of a message: one that is kept, or so many characters of its base; 0 = a hash of the base. */
export type Uid = string | number

/**
 * The ids of messages, in the same order. Where none is kept, it is the unique
 * part of the name if that is fit, alone, and no kept id of any message.
 * @param bases all different
 */
export function uidsOf(bases: readonly string[], kept: KeptUids | null): readonly Uid[] {
  const parts = bases.map(uniquePart)
  const twins = twinsAmong(parts)
  const own = (part: string): number => (SPEAKABLE.test(part) && !twins.has(part) ? part.length : 0)
  if (kept === null) return parts.map(own)
  const taken = new Set(kept.values())
  return bases.map((base, at) => {
    const part = parts[at]!
    const uid = kept.get(base) ?? (twins.has(part) ? undefined : kept.get(part))
    return uid ?? (taken.has(part) ? 0 : own(part))
  })
}

/** Parts that more than one base has. */
function twinsAmong(parts: readonly string[]): ReadonlySet<string> {
  const seen = new Set(parts)
  const twins = new Set<string>()
  if (seen.size === parts.length) return twins
  for (const part of parts) if (!seen.delete(part)) twins.add(part)
  return twins
}
