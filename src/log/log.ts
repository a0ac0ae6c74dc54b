/** One event, many forms: what a part of the server tells the people who run it. */

/**
 * Named values of an event. Strings may come from an attacker: every form
 * escapes control characters and cuts them at 1,024 characters. Never a password.
 */
export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** From what only a programmer wants to know to what somebody must act on. */
export type Level = 'debug' | 'info' | 'warn' | 'error'

/** One way to write an event down: given a place for lines, it makes what writes them there. */
export type Form = (
  write: (line: string) => void,
) => (level: Level, event: string, fields?: Fields) => void

export interface Log {
  /** @param event two or three words that a person can search for, the part first: `smtp accepted` */
  debug(event: string, fields?: Fields): void
  info(event: string, fields?: Fields): void
  warn(event: string, fields?: Fields): void
  error(event: string, fields?: Fields): void
}

/** Tells nobody: for tests and for use as a library. */
export const silent: Log = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
}

/** The message of an error and of its causes, for a log field. */
export function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause === undefined ? error.message : `${error.message}: ${reason(error.cause)}`
}
