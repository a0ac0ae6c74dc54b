/** Keeps a value from outside harmless in a log: not too long, nothing unseen. */

/** Characters of one value that are kept. */
export const MAX_VALUE = 1_024

/**
 * Control characters, what turns the direction of text or has no width
 * (U+202A–202E, U+2066–2069 …), line ends that are not ASCII, half a surrogate pair.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu
const SHORT_FORM = new Map([
  ['\n', '\\n'],
  ['\r', '\\r'],
  ['\t', '\\t'],
])

/** The first 1,024 characters, with an ellipsis if there were more. */
export function cut(value: string): string {
  return value.length <= MAX_VALUE ? value : `${value.slice(0, MAX_VALUE)}…`
}

/** Writes what cannot be seen as `\n`, `\r`, `\t` or `\uXXXX`, which JSON reads, too. */
export function escapeUnseen(text: string): string {
  return text.replace(UNSEEN, (found) => SHORT_FORM.get(found) ?? units(found))
}

/** One escape for each UTF-16 unit: a character beyond U+FFFF has two. */
function units(character: string): string {
  let escaped = ''
  for (let at = 0; at < character.length; at++) {
    escaped += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  }
  return escaped
}
