/** The cipher Blowfish (Schneier 1993) with the expensive key schedule that bcrypt gives it. */
import { piWords } from './pi.js'

const SUBKEYS = 18
const ENTRIES = 256
const BOXES = 4

let digits: Uint32Array | null = null

/** One key's state. */
export class Blowfish {
  readonly #subkeys: Int32Array
  /** The four boxes, one behind the other. */
  readonly #boxes: Int32Array
  /** The two halves of the block at work. */
  readonly #block = new Int32Array(2)

  constructor() {
    digits ??= piWords(SUBKEYS + BOXES * ENTRIES)
    this.#subkeys = Int32Array.from(digits.subarray(0, SUBKEYS))
    this.#boxes = Int32Array.from(digits.subarray(SUBKEYS))
  }

  /**
   * Mixes a key, and a salt, into the state.
   * @param key 18 words
   * @param salt 4 words; zeros for none
   */
  expand(key: Int32Array, salt: Int32Array): void {
    for (let at = 0; at < SUBKEYS; at++) this.#subkeys[at]! ^= key[at]!
    this.#block.fill(0)
    this.#replace(this.#subkeys, salt, 0)
    this.#replace(this.#boxes, salt, SUBKEYS)
  }

  /** Enciphers two words in place. */
  encipher(words: Int32Array, at: number): void {
    this.#block[0] = words[at]!
    this.#block[1] = words[at + 1]!
    this.#run()
    words[at] = this.#block[0]
    words[at + 1] = this.#block[1]
  }

  /** @param before how many words were replaced before: the salt goes on from there */
  #replace(words: Int32Array, salt: Int32Array, before: number): void {
    const block = this.#block
    for (let at = 0; at < words.length; at += 2) {
      const from = (before + at) % 4
      block[0]! ^= salt[from]!
      block[1]! ^= salt[from + 1]!
      this.#run()
      words[at] = block[0]!
      words[at + 1] = block[1]!
    }
  }

  /** Sixteen rounds on the block. All of bcrypt's time goes by in here. */
  #run(): void {
    const subkeys = this.#subkeys
    const boxes = this.#boxes
    let left = this.#block[0]! ^ subkeys[0]!
    let right = this.#block[1]!
    for (let round = 1; round <= 16; round += 2) {
      right ^= mixed(boxes, left) ^ subkeys[round]!
      left ^= mixed(boxes, right) ^ subkeys[round + 1]!
    }
    this.#block[0] = right ^ subkeys[SUBKEYS - 1]!
    this.#block[1] = left
  }
}

function mixed(boxes: Int32Array, word: number): number {
  const sum = boxes[word >>> 24]! + boxes[256 + ((word >>> 16) & 255)]!
  return ((sum ^ boxes[512 + ((word >>> 8) & 255)]!) + boxes[768 + (word & 255)]!) | 0
}
