/**
 * The binary digits of pi behind its point: Blowfish starts from them. Worked out once, in some
 * hundredths of a second, rather than kept as a table of a thousand numbers that nobody can proofread.
 */

/** Bits beyond those asked for, against what is cut off on the way. */
const SPARE = 64n

/** The first words of 32 bits behind the point of pi. */
export function piWords(count: number): Uint32Array {
  const bits = BigInt(count) * 32n
  const one = 1n << (bits + SPARE)
  // Machin: pi = 16 arctan(1/5) - 4 arctan(1/239).
  const pi = 16n * arctanOfInverse(5n, one) - 4n * arctanOfInverse(239n, one)
  const hex = ((pi % one) >> SPARE).toString(16).padStart(count * 8, '0')
  return Uint32Array.from({ length: count }, (_, at) =>
    Number.parseInt(hex.slice(at * 8, at * 8 + 8), 16),
  )
}

/** @param one stands for 1 */
function arctanOfInverse(x: bigint, one: bigint): bigint {
  let power = one / x
  let sum = power
  for (let n = 3n; power !== 0n; n += 2n) {
    power /= -(x * x)
    sum += power / n
  }
  return sum
}
