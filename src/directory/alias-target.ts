/**
 * Reads the right side of an alias: addresses, `|program`, `/file`, `/maildir/`,
 * `:include:`, `:fail:`, `:blackhole:`. Pure. What cannot be delivered to is
 * kept as such, so that mail for it waits instead of being lost.
 */
import { parseAddress, parseLocal } from '../mail/address.js'
import { commandWords } from './command-words.js'

export type AliasTarget =
  /** `domain` is `null` for a bare name: the domain of the file. */
  | { readonly kind: 'address'; readonly local: string; readonly domain: string | null }
  | { readonly kind: 'program'; readonly command: readonly string[] }
  /** mbox; absolute. */
  | { readonly kind: 'file'; readonly path: string }
  /** Absolute, without the slash at its end. */
  | { readonly kind: 'maildir'; readonly path: string }
  | { readonly kind: 'include'; readonly path: string }
  /** The sender hears `text` (printable ASCII) with that enhanced status. */
  | { readonly kind: 'fail'; readonly status: string; readonly text: string }
  | { readonly kind: 'discard' }
  | { readonly kind: 'undeliverable'; readonly why: string }

/** Bytes, as the system has it (PATH_MAX with its NUL). */
const MAX_PATH = 4_095
/** Characters of a `:fail:` text: it is one line of a reply. */
const MAX_FAIL = 200
/** The text goes to the end of the entry, commas and all. */
const FAIL = /^\s*:fail:(.*)$/is
const STATUS = /^(5\.\d{1,3}\.\d{1,3})(?:\s+|$)/
const NO_SUCH_USER = '5.1.1'
const DEVICE_OF_NOTHING = '/dev/null'
const DISCARD: AliasTarget = { kind: 'discard' }

/** @returns `null` if a quote is not closed */
export function parseTargets(text: string): readonly AliasTarget[] | null {
  const targets: AliasTarget[] = []
  for (let from = 0; from <= text.length;) {
    const fail = FAIL.exec(text.slice(from))
    if (fail !== null) return [...targets, parseFail(fail[1]!, targets.length === 0)]
    const to = findOutsideQuotes(text, ',', from)
    if (to === null) return null
    const word = text.slice(from, to).trim()
    if (word !== '') targets.push(parseTarget(word))
    from = to + 1
  }
  return targets.length > 0 ? targets : [undeliverable('there is no target')]
}

/** Where a character stands outside quotes; the text's length if nowhere; `null` if a quote stays open. */
export function findOutsideQuotes(text: string, character: string, from: number): number | null {
  let quoted = false
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === '"') quoted = !quoted
    else if (!quoted && text[at] === character) return at
  }
  return quoted ? null : text.length
}

/** Before addresses: "/" and "|" may begin a local part, too. */
function parseTarget(word: string): AliasTarget {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/su.exec(word)?.[1]
  const text = quoted === undefined ? word : quoted.replace(/\\(.)/gsu, '$1').trim()
  if (text.startsWith('|')) return parseProgram(text.slice(1))
  if (text.startsWith('/')) return parseFile(text, quoted !== undefined)
  if (/^:[a-z]+:/i.test(text)) return parseDirective(text)
  const address = parseAddress(word)
  if (address !== null) return { kind: 'address', ...address }
  const local = parseLocal(word)
  if (local !== null) return { kind: 'address', local, domain: null }
  return undeliverable(`${JSON.stringify(word)} is not an address`)
}

function parseProgram(text: string): AliasTarget {
  const command = commandWords(text)
  if (command.words === null) return undeliverable(command.why)
  return { kind: 'program', command: command.words }
}

function parseFile(path: string, quoted: boolean): AliasTarget {
  if (path === DEVICE_OF_NOTHING) return DISCARD
  const why = pathFault(path, quoted)
  if (why !== null) return undeliverable(why)
  if (!path.endsWith('/')) return { kind: 'file', path }
  return { kind: 'maildir', path: path.replace(/\/+$/, '') }
}

function parseDirective(text: string): AliasTarget {
  const [, name = '', rest = ''] = /^(:[a-z]+:)\s*(.*)$/is.exec(text) ?? []
  if (name.toLowerCase() === ':blackhole:') return DISCARD
  if (name.toLowerCase() !== ':include:') return undeliverable(`${name} is not known here`)
  const why = pathFault(rest, true)
  return why === null ? { kind: 'include', path: rest } : undeliverable(why)
}

/** What is wrong with a path; `null` if nothing is. */
function pathFault(path: string, quoted: boolean): string | null {
  if (!path.startsWith('/')) return 'a file is named by its whole path'
  if (/^\/+$/.test(path)) return 'the root directory is no place for mail'
  if (/(^|\/)\.{1,2}(\/|$)/.test(path)) return 'a path holds no "." and no ".."'
  // oxlint-disable-next-line no-control-regex -- control characters are what it is for
  if (/[\u0000-\u001f\u007f]/.test(path)) return 'a path holds no control characters'
  if (Buffer.byteLength(path) > MAX_PATH) return `a path has at most ${MAX_PATH} bytes`
  return !quoted && /\s/.test(path) ? 'a path with blanks stands in quotes' : null
}

/** Beside others it would make them wait for ever: the mail can neither be taken nor be refused. */
function parseFail(text: string, alone: boolean): AliasTarget {
  if (!alone) return undeliverable(':fail: stands alone')
  const said = text
    .trim()
    .replace(/^"(.*)"$/s, '$1')
    .trim()
  const status = STATUS.exec(said)
  const words = status === null ? said : said.slice(status[0].length)
  return { kind: 'fail', status: status?.[1] ?? NO_SUCH_USER, text: printable(words) }
}

/** What may stand in a reply: one line of printable ASCII. */
function printable(text: string): string {
  const line = text
    .replace(/\s+/g, ' ')
    .replace(/[^ -~]/gu, '?')
    .slice(0, MAX_FAIL)
  return line === '' ? 'this address takes no mail' : line
}

const undeliverable = (why: string): AliasTarget => ({ kind: 'undeliverable', why })
