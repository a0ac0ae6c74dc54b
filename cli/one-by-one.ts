/** Work that must never run twice at the same time. */

/**
 * @returns a function that does the work when all that was asked for before is over, however that
 *   ended; it throws what the work throws
 */
export function oneByOne(work: () => Promise<void>): () => Promise<void> {
  let last: Promise<void> = Promise.resolve()
  return () => {
    const mine = last.then(work, work)
    last = mine
    return mine
  }
}
