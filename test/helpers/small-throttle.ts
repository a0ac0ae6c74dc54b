/** A real throttle for transcripts: so many failed logins a minute from one address, and no other limit. */
import { LoginThrottle } from '../../src/limits/logins.js'
import { MemoryLimiter } from '../../src/limits/memory.js'
import { silent } from '../../src/log/log.js'
import { Networks } from '../../src/net/networks.js'

/** @param failures 0 for no limit */
export function smallThrottle(failures: number): LoginThrottle {
  const limits = {
    failuresPerAddress: failures,
    failuresPerNetwork: 0,
    failuresPerUser: 0,
    trusted: new Networks([]),
  }
  return new LoginThrottle({
    limits: () => limits,
    limiter: new MemoryLimiter(),
    nameOf: (username) => username,
    log: silent,
  })
}
