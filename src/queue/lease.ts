/** Holds on to a job while a long delivery runs: whoever loses the loan would let others deliver it again. */
import { type Log, reason } from '../log/log.js'
import type { Job, Spool } from './spool.js'

/** Milliseconds. After a crash of a worker elsewhere its messages wait for so long. */
export const LEASE_MS = 10 * 60_000
/** So often a loan is renewed before it would end: two failures in between do no harm. */
const RENEWALS = 3

/** Renews the loan until the function returned is called. */
export function holdLease(spool: Spool, job: Job, log: Log): () => void {
  const renew = async (): Promise<void> => {
    try {
      if (await spool.renew(job, LEASE_MS)) return
      log.warn('queue lease lost', { id: job.item.id })
      clearInterval(timer)
    } catch (error) {
      log.warn('queue lease not renewed', { id: job.item.id, reason: reason(error) })
    }
  }
  const timer = setInterval(() => void renew(), LEASE_MS / RENEWALS)
  timer.unref()
  return () => clearInterval(timer)
}
