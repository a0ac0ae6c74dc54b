/** Reads what a client wrote: the verb, a number, a name. Strictly, from bytes (RFC 1939 sections 3 and 9). */

export interface Command {
  /** ASCII upper case; `''` if the line does not begin with a word of ASCII letters. */
  readonly verb: string
  /** What follows the first space, empty if nothing does. */
  readonly argument: Buffer
}

const SPACE = 32
/** Verbs have three or four letters; the longest foreign one that is looked for has seven. */
const MAX_VERB = 8
// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function parseCommand(line: Buffer): Command {
  const space = line.indexOf(SPACE)
  const end = space === -1 ? line.length : space
  const word = end <= MAX_VERB ? line.toString('latin1', 0, end) : ''
  // Letters are ASCII here, so upper case is ASCII's: 'ſ' never becomes an S.
  const verb = /^[A-Za-z]+$/.test(word) ? word.toUpperCase() : ''
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

/** A name or a password. @returns `null` unless it is UTF-8 without control characters, and not empty */
export function parseText(argument: Buffer): string | null {
  try {
    const text = UTF8.decode(argument)
    return text === '' || CONTROL.test(text) ? null : text
  } catch {
    return null
  }
}
