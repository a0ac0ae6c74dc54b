/** What another POP3 server told its clients of a Maildir: the contract of the readers of its files. */
import { MaildirFault } from './errors.js'

/** A message by the id that clients know it by. */
export interface KnownMessage {
  /** The file's name without flags, a character per octet. */
  readonly base: string
  /** What UIDL said. */
  readonly uid: string
}

/** A file of another server that is not in the form it should have. */
export class ForeignFault extends MaildirFault {
  override readonly name = 'ForeignFault'
}

/** Lines of a state file that are read; a larger one is refused. */
const MAX_LINES = 2_000_000
/** Longest line: a file name and what goes with it. */
const MAX_LINE = 2_048

/**
 * The lines of a file of text, without the last if it is empty.
 * @throws ForeignFault when there are too many, or one is too long
 */
export function linesOf(text: string, file: string): string[] {
  const lines = text.split('\n', MAX_LINES + 1)
  if (lines.length > MAX_LINES) throw new ForeignFault(`${file}: more than ${MAX_LINES} lines`)
  if (lines.at(-1) === '') lines.pop()
  const long = lines.findIndex((line) => line.length > MAX_LINE)
  if (long !== -1) throw broken(file, long + 1, `longer than ${MAX_LINE} characters`)
  return lines
}

/** @param line counted from 1 */
export function broken(file: string, line: number, what: string): ForeignFault {
  return new ForeignFault(`${file}:${line}: ${what}`)
}

/** By their characters. */
export function byText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}
