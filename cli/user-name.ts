/**
 * Which names a new user may have. Stricter than what mail may be sent to:
 * whatever could be taken for a path, a command, another user or nothing at
 * all is refused when it is made, not only when it is used.
 */
import { foldLocal, parseLocal } from '../src/mail/address.js'
import { Exit, Failure } from './exit.js'

/** Begins with a letter, a digit or `_`; then also the signs that names have. */
const NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_.+='~&#-]*$/u

/**
 * @returns the name as it is stored: NFC, ASCII letters in lower case
 * @throws Failure
 */
export function newUserName(text: string): string {
  const local = NAME.test(text) ? parseLocal(text) : null
  if (local === null) {
    throw bad(
      text,
      "use letters, digits and . _ + - = ' ~ & #, beginning with a letter or digit, 64 bytes at most",
    )
  }
  // Full-width letters, ligatures, the Kelvin sign: nobody can tell such a name from the plain one.
  const plain = local.normalize('NFKC')
  if (plain !== local) throw bad(text, `it looks like '${plain}' and is another name; use that one`)
  return foldLocal(local)
}

function bad(text: string, why: string): Failure {
  return new Failure(Exit.badData, `'${text}' can not be a user's name: ${why}`)
}
