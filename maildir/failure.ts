/** Errors on their way from one thread to another, where they would lose what they are. */
import { errorCode, NotAMaildir } from './errors.js'

/** An error that can be sent from thread to thread. */
export interface Failure {
  /** The system's code, such as `ENOSPC`; `null` if the system did not say no. */
  readonly code: string | null
  readonly message: string
  readonly notAMaildir: boolean
}

/** What can be sent of an error. */
export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error)
  const notAMaildir = error instanceof NotAMaildir
  return { code: errorCode(error) ?? null, message, notAMaildir }
}

/** The error as it was before it went from thread to thread. */
export function thrown({ code, message, notAMaildir }: Failure): Error {
  if (notAMaildir) return new NotAMaildir(message)
  return code === null ? new Error(message) : Object.assign(new Error(message), { code })
}
