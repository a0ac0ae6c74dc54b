/** What a reload cannot change in a running server, and that it is told. */
import type { Config } from './config/config.js'
import type { Log } from './log/log.js'

const NEED_RESTART = ['listen', 'state', 'hostname', 'auth', 'log', 'run', 'metrics'] as const

/** @param started what the server was started with */
export function tellRestart(started: Config, config: Config, log: Log): void {
  const changed = NEED_RESTART.filter(
    (part) => JSON.stringify(config[part]) !== JSON.stringify(started[part]),
  )
  if (changed.length > 0) log.warn('server restart needed', { for: changed.join(' ') })
}
