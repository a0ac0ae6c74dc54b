/**
 * Memory in which messages go from thread to thread, used again and again: fresh memory for
 * each piece would cost more than reading it, most of that to find out that it is free again.
 */

/** Memory of one size that nobody uses right now. */
export class MemoryPool {
  /** Octets of each. */
  readonly room: number
  readonly #max: number
  readonly #spare: ArrayBuffer[] = []

  /** @param max so many lie ready at most */
  constructor(room: number, max: number) {
    this.room = room
    this.#max = max
  }

  /** Memory that nobody uses any more; `null` if there is none. */
  borrow(): ArrayBuffer | null {
    return this.#spare.pop() ?? null
  }

  /** @param memory that nobody uses any more */
  giveBack(memory: ArrayBuffer): void {
    const fits = memory.byteLength === this.room && this.#spare.length < this.#max
    if (fits) this.#spare.push(memory)
  }
}

/** For many small messages: each time that a thread is woken costs as much as reading ten of them. */
export const batchMemory = new MemoryPool(288 * 1024, 16)

/** For a piece of a large message: a client that reads no further holds one. */
export const pieceMemory = new MemoryPool(144 * 1024, 32)

/** Memory for so many octets of small messages, if need be other memory than what was brought. */
export function roomFor(octets: number, brought: ArrayBuffer | null): Buffer {
  if (brought !== null && brought.byteLength >= octets) return Buffer.from(brought, 0, octets)
  const { room } = batchMemory
  // What nearly fills it may as well be used again.
  const size = octets > room / 2 ? Math.max(octets, room) : octets
  return Buffer.from(new ArrayBuffer(size), 0, octets)
}
