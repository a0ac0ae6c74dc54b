/** Some deliveries of one message at once, each with an answer of its own. */
import { Refusal, tryLater } from '../mail/refusal.js'

/** Places of one message that are written to at once. */
const MAX_PARALLEL = 8

/** Does the work for every item, some at once; the results come in the items' order. */
export async function each<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  // Most messages have one recipient.
  if (items.length === 1) return [await work(items[0]!)]
  const results: R[] = []
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const at = next++
      results[at] = await work(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(MAX_PARALLEL, items.length) }, worker))
  return results
}

/** What was thrown, as an answer; `null` if nothing was. */
export async function answered(work: Promise<void>): Promise<Refusal | null> {
  try {
    await work
    return null
  } catch (error) {
    return asRefusal(error)
  }
}

/** What nobody expected is a fault of ours, and means "later". */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : tryLater(error)
}
