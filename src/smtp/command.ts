/** A line of SMTP, taken apart (RFC 5321 section 4.1.1): verb, argument, paths and parameters. */
import { isUtf8 } from 'node:buffer'
import { type Address, parseAddress, parseDomain, parseLocal } from '../mail/address.js'

export interface Command {
  /** In capitals. */
  readonly verb: string
  readonly argument: string
}

// oxlint-disable-next-line no-control-regex -- control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\ufeff]/

/** @returns `null` when the bytes are no text: control characters, broken UTF-8 */
export function decode(line: Buffer): string | null {
  if (!isUtf8(line)) return null
  const text = line.toString('utf8')
  return CONTROL.test(text) ? null : text
}

/** @returns `null` when it does not begin with a word */
export function parseCommand(text: string): Command | null {
  const word = /^[A-Za-z]+/.exec(text)?.[0] ?? ''
  const rest = text.slice(word.length)
  if (word === '' || (rest !== '' && !rest.startsWith(' '))) return null
  // Nothing but ASCII letters is in it, so that capitals are safe.
  return { verb: word.toUpperCase(), argument: withoutBlanks(rest) }
}

/** No pattern: one that looks for the end of blanks takes the square of their number. */
function withoutBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && text[from] === ' ') from++
  while (to > from && text[to - 1] === ' ') to--
  return text.slice(from, to)
}

/** `null` address = the null path `<>`. */
export interface Path {
  readonly address: Address | null
  /** What the client wrote between the brackets was just `postmaster` (RFC 5321 section 4.5.1). */
  readonly barePostmaster: boolean
  /** False if it was written with anything but ASCII: then it needs SMTPUTF8 (RFC 6531). */
  readonly ascii: boolean
  readonly parameters: ReadonlyMap<string, string>
}

/** Why a path was not taken. */
export type PathError = 'syntax' | 'address' | 'parameter'

/** Longest path, brackets counted (RFC 5321 section 4.5.3.1.3). */
const MAX_PATH = 256
/** Far more parameters than there are. */
const MAX_PARAMETERS = 10

/** Reads what follows `MAIL FROM:` or `RCPT TO:`. */
export function parsePath(text: string): Path | PathError {
  const start = /^ *</.exec(text)
  if (start === null) return 'syntax'
  const end = endOfPath(text, start[0].length)
  if (end === -1) return 'syntax'
  const parameters = parseParameters(text.slice(end + 1))
  if (parameters === null) return 'parameter'
  const inside = text.slice(start[0].length, end)
  if (Buffer.byteLength(inside) + 2 > MAX_PATH) return 'address'
  const ascii = Buffer.byteLength(inside) === inside.length
  const barePostmaster = /^postmaster$/i.test(inside)
  const none = inside === '' || barePostmaster
  const address = none ? null : parseRouted(inside)
  if (address === null && !none) return 'address'
  return { address, barePostmaster, ascii, parameters }
}

/** `@a,@b:user@c` is user@c: routes are read and ignored (RFC 5321 appendix C). */
function parseRouted(text: string): Address | null {
  if (!text.startsWith('@')) return parseAddress(text)
  const colon = text.indexOf(':')
  if (colon === -1) return null
  const hops = text.slice(0, colon).split(',')
  const good = hops.every((hop) => hop.startsWith('@') && parseDomain(hop.slice(1)) !== null)
  return good ? parseAddress(text.slice(colon + 1)) : null
}

/** The `>` that ends the path: one inside a quoted local part does not. */
function endOfPath(text: string, from: number): number {
  let quoted = false
  for (let at = from; at < text.length; at++) {
    const character = text[at]
    if (character === '\\' && quoted) at++
    else if (character === '"') quoted = !quoted
    else if (character === '>' && !quoted) return at
  }
  return -1
}

/** RFC 6531 section 3.3 lets values hold UTF-8. `null` when one is malformed or given twice. */
function parseParameters(text: string): Map<string, string> | null {
  const parameters = new Map<string, string>()
  if (text === '') return parameters
  if (!text.startsWith(' ')) return null
  for (const part of text.trim().split(/ +/)) {
    const match = /^([A-Za-z0-9][A-Za-z0-9-]*)(?:=([!-<>-~\u00a0-\u{10ffff}]+))?$/u.exec(part)
    const name = match?.[1]!.toUpperCase()
    if (name === undefined || parameters.has(name) || parameters.size === MAX_PARAMETERS)
      return null
    parameters.set(name, match![2] ?? '')
  }
  return parameters
}

/** True if the argument of EHLO or HELO can be a name: printable ASCII, no space, 1 to 255 characters. */
export function isHostArgument(argument: string): boolean {
  return /^[!-~]{1,255}$/.test(argument)
}

/** True if a VRFY argument could be a mailbox. */
export function isMailboxArgument(argument: string): boolean {
  const inside = argument.replace(/^<(.*)>$/s, '$1')
  return parseAddress(inside) !== null || parseLocal(inside) !== null
}
