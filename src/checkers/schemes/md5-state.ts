/** The state of MD5 (RFC 1321 section 3.4) after one block: the digest at a point that node:crypto shows nobody. */

const START = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476] as const
/** How far each step of a round turns, by step modulo 4. */
const TURNS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
]
const SINES = Array.from({ length: 64 }, (_, at) =>
  Math.floor(Math.abs(Math.sin(at + 1)) * 2 ** 32),
)

/** @param block 64 octets @returns the four words of the state, lowest octet first */
export function md5State(block: Uint8Array): Buffer {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength)
  let [a, b, c, d] = START as readonly number[] as [number, number, number, number]
  for (let step = 0; step < 64; step++) {
    const [mix, at] = mixed(step, b, c, d)
    const sum = (a + mix + SINES[step]! + view.getUint32(at * 4, true)) | 0
    const turn = TURNS[step >> 4]![step % 4]!
    ;[a, d, c, b] = [d, c, b, (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0]
  }
  const state = Buffer.alloc(16)
  ;[a, b, c, d].forEach((word, at) => state.writeInt32LE((word + START[at]!) | 0, at * 4))
  return state
}

/** What a step adds, and which word of the block. */
function mixed(step: number, b: number, c: number, d: number): [mix: number, word: number] {
  if (step < 16) return [(b & c) | (~b & d), step]
  if (step < 32) return [(d & b) | (~d & c), (5 * step + 1) % 16]
  if (step < 48) return [b ^ c ^ d, (3 * step + 5) % 16]
  return [c ^ (b | ~d), (7 * step) % 16]
}
