/** `user+tag`: what of a local part is the user, and what the user made of it (RFC 5233). */

export interface Tagged {
  readonly base: string
  readonly extension: string
}

/**
 * Splits at the first separator that has something before it.
 * @param separator one character; empty for no tags
 * @returns `null` if there is no tag
 */
export function splitTag(local: string, separator: string): Tagged | null {
  const at = separator === '' ? -1 : local.indexOf(separator, 1)
  if (at === -1) return null
  return { base: local.slice(0, at), extension: local.slice(at + separator.length) }
}
