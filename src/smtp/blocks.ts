/**
 * Memory in which content gathers before it is written: two blocks in turn, one that fills while
 * the other one is on its way to the disk. Anew each time it would be garbage faster than it is cleared up.
 */

/** Octets of a block. */
const BLOCK = 131_072
/** With less room than a socket fills at a time, it is time to write. */
const MIN_ROOM = 65_536

export class Blocks {
  #filling: Buffer | null = null
  #other: Buffer | null = null
  #end = 0

  /** True when it is time to write. */
  get full(): boolean {
    return BLOCK - this.#end < MIN_ROOM
  }

  /** So many octets to be written to; `use` says how many of them stay. */
  room(octets: number): Buffer {
    if (octets > BLOCK - this.#end) return Buffer.allocUnsafe(octets)
    this.#filling ??= Buffer.allocUnsafeSlow(BLOCK)
    return this.#filling.subarray(this.#end, this.#end + octets)
  }

  /** @param content the beginning of what `room` gave last, or anything else, which needs no room here */
  use(content: Buffer): void {
    const own = content.buffer === this.#filling?.buffer
    if (own && content.byteOffset === this.#end) this.#end += content.length
  }

  /** Begins the next block. The one before the last must have been written. */
  next(): void {
    const written = this.#other
    this.#other = this.#filling
    this.#filling = written
    this.#end = 0
  }
}
