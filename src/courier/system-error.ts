/** What the system says when a file or a socket cannot be used, and what a sender is told of it. */
import { constants } from 'node:os'
import { misconfigured, noSpace, Refusal, tryLater } from '../mail/refusal.js'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
/** Wrong settings: nothing of it passes by itself, and nothing of it is the sender's fault. */
const WRONG_PLACE = new Set([
  'EACCES',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'ENXIO',
  'EPERM',
])

/** Such as `ENOENT`; `undefined` if it was not a system call that failed. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  // Node has no name for a quota that is used up.
  if ('errno' in error && error.errno === -constants.errno.EDQUOT) return 'EDQUOT'
  return typeof error.code === 'string' ? error.code : undefined
}

/** What a sender is told; all of it is "later". What is no error of the system stays as thrown. */
export function refusalOfSystem(error: unknown): unknown {
  const code = codeOf(error)
  if (error instanceof Refusal || code === undefined) return error
  if (FULL.has(code)) return noSpace(error)
  return WRONG_PLACE.has(code) ? misconfigured(error) : tryLater(error)
}
