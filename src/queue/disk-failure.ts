/** Errors of the disk on their way from one thread to another, where they would lose what they are. */
import { constants } from 'node:os'

/** What bears the name of a spool file cannot be one. */
export class StrangeFile extends Error {
  override readonly name = 'StrangeFile'
}

/** An error that can be sent from thread to thread. */
export interface Failure {
  /** The system's code, such as `ENOSPC`; `null` if the system did not say no. */
  readonly code: string | null
  readonly message: string
  readonly strange: boolean
}

/** Names of the system's errors; Node's own codes begin with `ERR_`. */
const ERRNO = /^E[A-Z0-9]+$/

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  return { code: codeOf(error), message, strange: error instanceof StrangeFile }
}

/** The error as it was before it went from thread to thread. */
export function thrown({ code, message, strange }: Failure): Error {
  if (strange) return new StrangeFile(message)
  return code === null ? new Error(message) : Object.assign(new Error(message), { code })
}

/** Such as `ENOENT`; `null` if it was not a system call that failed. */
export function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !('code' in error)) return null
  // Node has no name for it, and a disk quota that is used up is no riddle.
  if ('errno' in error && error.errno === -constants.errno.EDQUOT) return 'EDQUOT'
  return typeof error.code === 'string' && ERRNO.test(error.code) ? error.code : null
}
