/**
 * SASLprep (RFC 4013): two ways to type one password become one text, so that
 * a proof made by the client matches what the server made long before. Left
 * out: the table of unassigned characters, which knows only Unicode 3.2, and
 * the rule on right-to-left text, which would refuse pass phrases that people have.
 */

// oxlint-disable-next-line no-control-regex -- looks for what is not plain
const PLAIN_ASCII = /^[\u0020-\u007e]*$/
/** RFC 3454 table C.1.2: becomes a space. U+200B stands in both tables; this one comes first. */
const SPACES = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/gu
/** RFC 3454 table B.1: becomes nothing. */
const NOTHING =
  // oxlint-disable-next-line no-misleading-character-class -- single code points, all of them
  /[\u00ad\u034f\u1806\u180b-\u180d\u200c\u200d\u2060\ufe00-\ufe0f\ufeff]/gu
/**
 * RFC 3454 tables C.2 to C.9: control characters, private use, no characters,
 * half characters, and what would change how its neighbours are shown.
 */
const PROHIBITED =
  // oxlint-disable-next-line no-misleading-character-class -- single code points, all of them
  /[\p{Cc}\p{Co}\p{Cs}\p{Noncharacter_Code_Point}\u0340\u0341\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufeff\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u

/** @returns `null` if the text holds what no name and no password may hold, or nothing is left of it */
export function saslprep(text: string): string | null {
  if (PLAIN_ASCII.test(text)) return text === '' ? null : text
  const prepared = text.replace(SPACES, ' ').replace(NOTHING, '').normalize('NFKC')
  return prepared === '' || PROHIBITED.test(prepared) ? null : prepared
}

/** A password as it is hashed and compared: prepared, or as it is where it cannot be. */
export function preparedPassword(password: string): string {
  return saslprep(password) ?? password
}
