/**
 * The one way between a local part and a file name. Two files can never mean
 * one user, and no name leaves its directory.
 */
import { foldLocal } from '../mail/address.js'

/** The longest file name, in bytes, that every common file system takes. */
const MAX_KEY = 255
/** A lone surrogate would become U+FFFD on disk, and U+FFFD is what Node shows for bytes that are no UTF-8: another name. */
const UNNAMEABLE = /[\p{Surrogate}\ufffd]/u
const ESCAPED = /^\.|[/%\p{Cc}]/gu

/**
 * The file name of a local part: NFC, ASCII lower case; `/`, `%`, control
 * characters and a leading dot as `%XX` of their UTF-8 bytes.
 * @returns `null` if there can be no such file
 */
export function key(local: string): string | null {
  if (local === '' || UNNAMEABLE.test(local)) return null
  const name = foldLocal(local).replace(ESCAPED, escape)
  return Buffer.byteLength(name) <= MAX_KEY ? name : null
}

/** The local part, folded, of a file name; `null` if no local part has that file name. */
export function localOf(name: string): string | null {
  const local = unescape(name)
  return local !== null && key(local) === name ? local : null
}

function escape(character: string): string {
  return [...Buffer.from(character)]
    .map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`)
    .join('')
}

function unescape(name: string): string | null {
  try {
    return decodeURIComponent(name)
  } catch {
    return null
  }
}
