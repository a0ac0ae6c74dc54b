/**
 * How parameters of SMTP write what they cannot hold as it is: xtext (RFC 3461
 * section 4), and addresses in UTF-8 where only ASCII may stand (RFC 6533 section 3).
 */

const XTEXT = /^(?:[!-*,-<>-~]|\+[0-9A-F]{2})+$/
const PRINTABLE = /^[ -~]*$/
const UTF8_ADDRESS = /^(?:[!-*,-<>-[\]-~\u00a0-\u{10ffff}]|\\x\{[0-9A-F]{2,6}\})+$/u
const MAX_CODE_POINT = 0x10ffff
/** Nothing that a line of text could end or be torn apart by, and no half of a character. */
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ud800-\udfff]/u

/** @returns the text; `null` if this is no xtext, or stands for anything but printable ASCII */
export function decodeXtext(xtext: string): string | null {
  if (!XTEXT.test(xtext)) return null
  const text = xtext.replace(/\+(..)/g, (_, hex: string) => characterOf(hex))
  return PRINTABLE.test(text) ? text : null
}

/**
 * Reads an address of the type `utf-8`, in any of its three forms.
 * @returns it in UTF-8; `null` if it is none, or would hold control characters
 */
export function decodeUtf8Address(text: string): string | null {
  if (!UTF8_ADDRESS.test(text)) return null
  const codes = [...text.matchAll(/\\x\{(.*?)\}/g)].map(([, hex = '']) => Number.parseInt(hex, 16))
  if (codes.some((code) => code > MAX_CODE_POINT)) return null
  const address = text.replace(/\\x\{(.*?)\}/g, (_, hex: string) => characterOf(hex))
  return UNPRINTABLE.test(address) ? null : address
}

/** The form of an address of the type `utf-8` that needs ASCII only. */
export function encodeUtf8Address(address: string): string {
  return address.replace(/[^!-*,-<>-[\]-~]/gu, (character) => {
    const hex = character.codePointAt(0)!.toString(16).toUpperCase().padStart(2, '0')
    return `\\x{${hex}}`
  })
}

function characterOf(hex: string): string {
  return String.fromCodePoint(Number.parseInt(hex, 16))
}
