/** Some deliveries of one message at once, each with an answer of its own. */
import { Refusal, tryLater } from '../mail/refusal.js'
import type { Deadline } from './deadline.js'

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

/** Does the work unless it is too late for it. What was thrown is the answer; `null` if nothing was. */
export async function answered(
  deadline: Deadline,
  work: () => Promise<void>,
): Promise<Refusal | null> {
  try {
    deadline.require()
    await work()
    return null
  } catch (error) {
    return asRefusal(error)
  }
}

/** What nobody expected is a fault of ours, and means "later". */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : tryLater(error)
}

/** Only an answer of `null` means that mail is safe: one that is not there means "later". */
export function answerAt(answers: readonly (Refusal | null)[], at: number): Refusal | null {
  const answer = answers[at]
  return answer === undefined ? unanswered() : answer
}

/** What a place is said to have answered that has not answered. */
export const unanswered = (): Refusal => tryLater(new Error('a place gave no answer'))
