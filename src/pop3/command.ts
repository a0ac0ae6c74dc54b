/** Reads what a client wrote: the verb, a number, a name. Strictly, from bytes (RFC 1939 sections 3 and 9). */
import { clientText, MAX_PASSWORD } from '../sasl/text.js'

export interface Command {
  /** ASCII upper case; `''` if the line does not begin with a word of ASCII letters (and an 8: UTF8). */
  readonly verb: string
  /** What follows the first space, empty if nothing does. */
  readonly argument: Buffer
}

const SPACE = 32
/** Verbs have three or four letters; the longest foreign one that is looked for has seven. */
const MAX_VERB = 8

export function parseCommand(line: Buffer): Command {
  const space = line.indexOf(SPACE)
  const end = space === -1 ? line.length : space
  const word = end <= MAX_VERB ? line.toString('latin1', 0, end) : ''
  // Letters are ASCII here, so upper case is ASCII's: 'ſ' never becomes an S.
  const verb = /^[A-Za-z]+8?$/.test(word) ? word.toUpperCase() : ''
  return { verb, argument: line.subarray(Math.min(end + 1, line.length)) }
}

/** A message number. @returns `null` if it is not one: no sign, space, leading zero, point or exponent */
export function parseNumber(argument: Buffer): number | null {
  const text = argument.toString('latin1')
  return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null
}

/** TOP's arguments: a message number and how many lines, which may be none. */
export function parseTop(argument: Buffer): { number: number; lines: number } | null {
  const match = /^([1-9]\d{0,9}) (\d{1,10})$/.exec(argument.toString('latin1'))
  return match === null ? null : { number: Number(match[1]), lines: Number(match[2]) }
}

/** A name or a password. @returns `null` if it is empty, too long, or holds what neither may (RFC 6856 section 2.2) */
export function parseText(argument: Buffer): string | null {
  return clientText(argument, MAX_PASSWORD)
}
