/** What goes together to a thread that delivers, and the memory in which it gets there. */
import type { Job } from './batch.js'
import type { Batch } from './batch-thread.js'

/** Jobs of one batch … */
const MAX_JOBS = 1_024
/** … those of them that write a file, and the Maildirs, of which each is open meanwhile: each costs an fsync … */
const MAX_FILES = 64
const MAX_MAILDIRS = 64
/** … and their octets, unless it is a single one. */
const MAX_OCTETS = 2 * 1024 * 1024
/** The least memory of a thread: most batches are small, and it grows for those that are not. */
const MIN_MEMORY = 64 * 1024

/** A job with its bytes, which have no place in a batch yet. */
export interface Packable {
  readonly order: Omit<Job, 'from' | 'to'>
  readonly pieces: readonly Buffer[]
}

/** How many of those that wait make one batch: at least one. */
export function howMany(waiting: readonly Packable[]): number {
  const maildirs = new Set<string>()
  let files = 0
  let octets = 0
  let count = 0
  for (const { order, pieces } of waiting) {
    maildirs.add(order.maildir)
    if (order.source === undefined) files++
    octets += sizeOf(pieces) + (order.rest?.octets ?? 0)
    const slow = files > MAX_FILES || maildirs.size > MAX_MAILDIRS
    if (count > 0 && (slow || octets > MAX_OCTETS || count === MAX_JOBS)) break
    count++
  }
  return count
}

/** Memory that both threads see: a batch is copied into it once, and the next one uses it again. */
export class BatchMemory {
  #bytes = new SharedArrayBuffer(MIN_MEMORY)

  /** @param batch as `howMany` says; the one before it must be done */
  pack(batch: readonly Packable[]): Batch {
    const all = this.#room(batch.reduce((sum, { pieces }) => sum + sizeOf(pieces), 0))
    let at = 0
    const jobs = batch.map(({ order, pieces }): Job => {
      const from = at
      for (const piece of pieces) at += piece.copy(all, at)
      return { ...order, from, to: at }
    })
    return { jobs, bytes: this.#bytes }
  }

  #room(octets: number): Buffer {
    let length = this.#bytes.byteLength
    while (length < octets) length *= 2
    if (length > this.#bytes.byteLength) this.#bytes = new SharedArrayBuffer(length)
    return Buffer.from(this.#bytes)
  }
}

function sizeOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, piece) => sum + piece.length, 0)
}
