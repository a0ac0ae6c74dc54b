/** What the end of a program means for the mail: the codes of sysexits(3). */
import { Refusal, tryLater } from '../mail/refusal.js'

/** How a program ended; one of both is `null`. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/**
 * Faults of this machine, not of the mail: EX_OSERR, EX_IOERR, EX_TEMPFAIL,
 * and what a shell script says when it cannot run a program.
 */
const LATER = new Set([71, 74, 75, 126, 127])

/** @returns `null` if it took the mail */
export function meaningOf({ code, signal }: Ended): Refusal | null {
  if (code === 0) return null
  if (code === null) return tryLater(new Error(`the program was ended by ${signal ?? 'a signal'}`))
  if (LATER.has(code)) return tryLater(new Error(`the program said "later" (exit code ${code})`))
  return programRefused(code)
}

/** RFC 3463: 5.3.0, and no more: what the program printed is for the log. */
const programRefused = (code: number): Refusal =>
  new Refusal(554, '5.3.0', `the program that takes mail for this address refused it (${code})`)
