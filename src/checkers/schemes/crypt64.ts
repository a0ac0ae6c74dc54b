/** The digits of crypt(3): six bits each, the lowest first. */

const DIGITS = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/**
 * The octets as digits, in groups of up to three.
 * @param order of each group the places of its octets, the highest first
 */
export function toCrypt64(bytes: Uint8Array, order: readonly (readonly number[])[]): string {
  return order
    .map((group) => {
      const value = group.reduce((sum, at) => sum * 256 + bytes[at]!, 0)
      return digitsOf(value, Math.ceil((group.length * 8) / 6))
    })
    .join('')
}

/** The number behind digits. @returns `null` at what is no digit */
export function crypt64Number(text: string): number | null {
  const values = Array.from(text, (digit) => DIGITS.indexOf(digit))
  return values.includes(-1) ? null : values.reduceRight((sum, value) => sum * 64 + value, 0)
}

/** A text of so many digits out of random octets: 256 is a multiple of 64, so none is favoured. */
export function digitsFrom(random: Uint8Array): string {
  return [...random].map((octet) => DIGITS[octet % 64]).join('')
}

/** @param value below 64 to the power of `count` */
function digitsOf(value: number, count: number): string {
  return Array.from({ length: count }, (_, at) => DIGITS[(value >>> (6 * at)) & 63]).join('')
}
