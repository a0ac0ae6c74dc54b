/**
 * Reads transcripts: one text file holds one conversation between a client and
 * a server, so that every protocol bug can be kept as the lines that showed it.
 *
 *     # why this is here, with the RFC section
 *     @user alice@example.com secret   set-up or an accident, done by the stage
 *     @message alice@example.com M1
 *     | Subject: a line, CR LF added   block of the directive above
 *     |= raw\r\nbytes, escapes read
 *     S: +OK ready                     exactly this line, CR LF added
 *     S~ \+OK <.*@mail\.example>       the whole line matches
 *     S= +OK\r\n                       exactly these bytes, escapes read
 *     C: USER alice                    CR LF added
 *     C= PASS \xff\n                   exactly these bytes, escapes read
 *     --                               the client waits here: no pipelining beyond
 *     S! close                         the server ends the connection (or `starttls`)
 *     C! close                         the client is gone (or the server's farewell:
 *                                      `idle`, `stopping`, `too-many`)
 *     ? mailbox alice@example.com = M1 what the stage answers to a question
 *     @only steps                      bytes in one write matter: no other way of sending
 *
 * Escapes: \r \n \t \0 \\ \xHH, and \*300{text} for 300 times the text.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How the client's bytes arrive: a step at a time, byte by byte, or all that may be sent at once. */
export type Mode = 'steps' | 'bytes' | 'pipelined'
export const MODES: readonly Mode[] = ['steps', 'bytes', 'pipelined']

export type Step = { readonly at: number } & (
  | { readonly kind: 'client'; readonly bytes: Buffer }
  | { readonly kind: 'server'; readonly bytes: Buffer }
  | { readonly kind: 'matching'; readonly pattern: RegExp }
  | { readonly kind: 'event'; readonly side: 'C' | 'S'; readonly name: string }
  | { readonly kind: 'wait' }
  | { readonly kind: 'question'; readonly question: string; readonly answer: string }
  | Directive
)

/** Something that the stage does: a user, a message, an accident. */
export interface Directive {
  readonly kind: 'directive'
  readonly name: string
  /** What follows the name on its line. */
  readonly rest: string
  readonly block: Buffer
}

export interface Transcript {
  readonly file: string
  readonly modes: readonly Mode[]
  readonly steps: readonly Step[]
}

/** All transcripts of a folder, by name. @throws when there is none: a test that read nothing must fail */
export function readTranscripts(folder: string): Transcript[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.dialog'))
  if (names.length === 0) throw new Error(`no transcripts in ${folder}`)
  return names.toSorted().map((name) => {
    const file = join(folder, name)
    return parseTranscript(file, readFileSync(file, 'utf8'))
  })
}

/** @throws Error with file and line when the text is not a transcript */
export function parseTranscript(file: string, text: string): Transcript {
  if (!text.startsWith('# ')) throw new Error(`${file}:1: begin with "# why, RFC section"`)
  const steps: Step[] = []
  let modes = MODES
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    if (line.startsWith('@only ')) modes = readModes(file, line)
    else if (line.startsWith('|')) extend(steps, line, `${file}:${index + 1}`)
    else steps.push(readStep(line, index + 1, file))
  }
  return { file, modes, steps }
}

function readModes(file: string, line: string): Mode[] {
  const wanted = line.split(' ').slice(1)
  const modes = MODES.filter((mode) => wanted.includes(mode))
  if (modes.length !== wanted.length) throw new Error(`${file}: ${line}: no such mode`)
  return modes
}

/** Adds a `|` line to the directive above it. */
function extend(steps: Step[], line: string, where: string): void {
  const last = steps.pop()
  if (last?.kind !== 'directive') throw new Error(`${where}: "|" belongs under a directive`)
  const more = line.startsWith('|=')
    ? unescape(line.slice(2).replace(/^ /, ''))
    : Buffer.from(`${line.slice(1).replace(/^ /, '')}\r\n`)
  steps.push({ ...last, block: Buffer.concat([last.block, more]) })
}

function readStep(line: string, at: number, file: string): Step {
  if (line === '--') return { at, kind: 'wait' }
  if (line.startsWith('@')) return { at, ...readDirective(line.slice(1)) }
  const [, mark, rest] = /^(\?|[CS][:=~!]) ?(.*)$/su.exec(line) ?? []
  if (mark === undefined || rest === undefined) throw new Error(`${file}:${at}: not understood`)
  return { at, ...readSpoken(mark, rest, `${file}:${at}`) }
}

function readDirective(text: string): Directive {
  const [name = '', ...rest] = text.split(' ')
  return { kind: 'directive', name, rest: rest.join(' '), block: Buffer.alloc(0) }
}

function readSpoken(mark: string, rest: string, where: string): DistributiveOmit<Step, 'at'> {
  if (mark === 'C:') return { kind: 'client', bytes: Buffer.from(`${rest}\r\n`) }
  if (mark === 'C=') return { kind: 'client', bytes: unescape(rest) }
  if (mark === 'S:') return { kind: 'server', bytes: Buffer.from(`${rest}\r\n`) }
  if (mark === 'S=') return { kind: 'server', bytes: unescape(rest) }
  if (mark === 'S~') return { kind: 'matching', pattern: new RegExp(`^(?:${rest})$`, 'u') }
  if (mark === 'C!' || mark === 'S!') {
    return { kind: 'event', side: mark === 'C!' ? 'C' : 'S', name: rest }
  }
  const [question = '', answer] = rest.split(/ =(?: |$)/)
  if (mark !== '?' || answer === undefined) throw new Error(`${where}: not understood`)
  return { kind: 'question', question, answer }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

const LETTERS = new Map([
  ['r', '\r'],
  ['n', '\n'],
  ['t', '\t'],
  ['0', '\0'],
  ['\\', '\\'],
])

function unescape(text: string): Buffer {
  const parts: Buffer[] = []
  for (const [token] of text.matchAll(/\\x[0-9a-f]{2}|\\\*\d+\{[^}]*\}|\\.|[^\\]+/gisu)) {
    parts.push(unescapeToken(token))
  }
  return Buffer.concat(parts)
}

function unescapeToken(token: string): Buffer {
  if (!token.startsWith('\\')) return Buffer.from(token)
  if (/^\\x/i.test(token)) return Buffer.from(token.slice(2), 'hex')
  const repeated = /^\\\*(\d+)\{(.*)\}$/su.exec(token)
  if (repeated !== null) {
    const [, times, text = ''] = repeated
    return Buffer.concat(Array.from({ length: Number(times) }, () => unescape(text)))
  }
  const letter = LETTERS.get(token.slice(1))
  if (letter === undefined) throw new Error(`no such escape: ${token}`)
  return Buffer.from(letter)
}
