/** What happens to mail while the server that shall check it is away or talks nonsense. */
import { type Log, reason } from '../log/log.js'
import { cannotFilter, Refusal } from '../mail/refusal.js'
import { PASS, type Verdict } from './filter.js'

/** `defer`: it has to come again; `accept`: it passes, unchecked. */
export type OnError = 'defer' | 'accept'

export interface Watch {
  /** The filter, for the log. */
  readonly name: string
  readonly onError: OnError
  readonly log: Log
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
    log.error('filter failed', { filter: name, id, then: onError, reason: reason(error) })
    if (onError === 'defer') throw cannotFilter(error)
    return PASS
  }
}
