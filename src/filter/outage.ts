/** What happens to mail while the server that shall check it is away or talks nonsense. */
import { type Log, reason } from '../log/log.js'
import { cannotFilter, Refusal } from '../mail/refusal.js'
import { PASS, type Verdict } from './filter.js'

/** `defer`: mail has to come again; `accept`: it passes unchecked, unless it may be the cause. */
export type OnError = 'defer' | 'accept'

export interface Watch {
  /** The filter, for the log. */
  readonly name: string
  readonly onError: OnError
  readonly log: Log
}

/** A failure over what a sender wrote: whoever can cause it must not get past a filter by it. */
class ContentFailure extends Error {
  override readonly name = 'ContentFailure'
}

/**
 * Whatever fails in here may be the message's doing: then it is deferred, also where mail passes
 * while the server is away.
 * @throws Refusal, ContentFailure
 */
export async function onContent<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw error instanceof Refusal ? error : new ContentFailure(reason(error))
  }
}

/**
 * A verdict, whatever happens to the one who gives it.
 * @param id of the message
 * @throws Refusal that of the filter, or 451 if the filter failed and mail shall wait for it
 */
export async function orOutage(
  { name, onError, log }: Watch,
  id: string,
  ask: () => Promise<Verdict>,
): Promise<Verdict> {
  try {
    return await ask()
  } catch (error) {
    if (error instanceof Refusal) throw error
    const then = error instanceof ContentFailure ? 'defer' : onError
    log.error('filter failed', { filter: name, id, then, reason: reason(error) })
    if (then === 'defer') throw cannotFilter(error)
    return PASS
  }
}
