/**
 * Memory in which messages go from thread to thread, used again and again: fresh memory for
 * each piece would cost more than reading it, most of that to find out that it is free again.
 */

/** Octets of each: of many small messages, or of a piece of a large one. */
export const ROOM = 144 * 1024
/** So many lie ready at most. */
const MAX_SPARE = 32

const spare: ArrayBuffer[] = []

/** Memory that nobody uses any more; `null` if there is none. */
export function borrow(): ArrayBuffer | null {
  return spare.pop() ?? null
}

/** @param memory that nobody uses any more */
export function giveBack(memory: ArrayBuffer): void {
  if (memory.byteLength === ROOM && spare.length < MAX_SPARE) spare.push(memory)
}

/** Memory for so many octets, if need be other memory than what was brought. */
export function roomFor(octets: number, brought: ArrayBuffer | null): Buffer {
  if (brought !== null && brought.byteLength >= octets) return Buffer.from(brought, 0, octets)
  return Buffer.from(
    new ArrayBuffer(octets > ROOM / 2 ? Math.max(octets, ROOM) : octets),
    0,
    octets,
  )
}
