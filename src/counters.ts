/**
 * Puts together what counts clients, their messages and their failed logins, for a process that
 * counts for itself or for all workers. Like server.ts it decides nothing.
 */
import type { Config } from './config/config.js'
import type { Throttle } from './cred/throttle.js'
import type { Directory } from './directory/directory.js'
import { ConnectionCounts } from './limits/connections.js'
import type { Limiter } from './limits/limits.js'
import { LoginThrottle } from './limits/logins.js'
import { MemoryLimiter } from './limits/memory.js'
import type { Log } from './log/log.js'
import { identity } from './mail/address.js'
import type { Doorkeeper } from './net/doorkeeper.js'

export interface Counters {
  readonly limiter: Limiter
  readonly throttle: Throttle
  /** @param listener its place among all */
  readonly doorkeeper: (listener: number) => Doorkeeper
}

/** @param config as it is now: a reload changes it */
export function countersOf(config: () => Config, directory: Directory, log: Log): Counters {
  const limiter = new MemoryLimiter()
  const limits = (): Config['limits']['clients'] => config().limits.clients
  const doorkeeper = new ConnectionCounts({ limits, limiter, log })
  const nameOf = (username: string): string => {
    const address = directory.qualify(username)
    if (address === null) return username.toLowerCase()
    return identity({ ...address, domain: config().aliasDomains[address.domain] ?? address.domain })
  }
  const throttle = new LoginThrottle({ limits, limiter, nameOf, log })
  return { limiter, throttle, doorkeeper: () => doorkeeper }
}
