/**
 * The command line of sendmail, as programs have written it for decades: letters in one word
 * (`-ti`), values joined or apart (`-fuser`, `-f user`), no long options. Flags that other
 * sendmails know and that mean nothing here are taken and ignored; what no sendmail knows is
 * refused, since a value taken for a recipient would send mail to a stranger.
 */
import type { DsnEvent } from '../src/mail/envelope.js'
import { usage } from './exit.js'

export type Mode = 'send' | 'session' | 'verify' | 'queue' | 'aliases' | 'flush'

export interface SendmailWords {
  readonly mode: Mode
  /** `-C`. */
  readonly config: string | null
  /** `-t`: recipients stand in the header, too. */
  readonly fromHeader: boolean
  /** False after `-i`, `-oi`: a line with a dot is a line. */
  readonly dotEnds: boolean
  /** `-f`, `-r`, as it was said. */
  readonly sender: string | null
  /** `-F`. */
  readonly fullName: string | null
  /** `-N`; `null` = nothing was said, empty = never. */
  readonly notify: readonly DsnEvent[] | null
  /** `-R`. */
  readonly content: 'full' | 'headers' | null
  /** `-V`, in xtext. */
  readonly envelopeId: string | null
  /** What `-q` names: `I` an id, `R` a recipient; `null` = all. */
  readonly chosen: { readonly by: 'id' | 'recipient'; readonly what: string } | null
  readonly operands: readonly string[]
}

type Words = { -readonly [Key in keyof SendmailWords]: SendmailWords[Key] }

/** Flags with a value, in the same word or in the next one. */
const VALUED: Readonly<Record<string, (words: Words, value: string) => void>> = {
  b: setMode,
  C: (words, value) => (words.config = value),
  f: (words, value) => (words.sender = value),
  r: (words, value) => (words.sender = value),
  F: (words, value) => (words.fullName = value),
  N: (words, value) => (words.notify = notifyOf(value)),
  R: (words, value) => (words.content = contentOf(value)),
  V: (words, value) => (words.envelopeId = envelopeIdOf(value)),
  o: setOld,
}
/** Body type, hops, label, options, protocol, log: others do something with them. */
const VALUED_IGNORED = 'BhLOpX'
/** Flags whose value, if there is one, stands in the same word. */
const JOINED: Readonly<Record<string, (words: Words, value: string) => void>> = {
  q: setFlush,
  A: () => {},
  d: () => {},
  D: () => {},
  e: () => {},
}
const PLAIN: Readonly<Record<string, (words: Words) => void>> = {
  t: (words) => (words.fromHeader = true),
  i: (words) => (words.dotEnds = false),
  I: (words) => (words.mode = 'aliases'),
}
/** Gateway, metoo, no aliases, initial submission, verbose, in the hands of a user. */
const PLAIN_IGNORED = 'cGmnsUvx'

/** RFC 3461 section 4.4. */
const MAX_ENVELOPE_ID = 100

/** @throws Failure for what no sendmail understands */
export function readSendmailWords(given: readonly string[]): SendmailWords {
  const words = fresh()
  const rest = given.values()
  for (const word of rest) {
    if (word === '--') break
    if (!word.startsWith('-') || word === '-') {
      words.operands = [word]
      break
    }
    readCluster(words, word.slice(1), () => rest.next().value ?? missing(word))
  }
  words.operands = [...words.operands, ...rest]
  return words
}

function fresh(): Words {
  return {
    mode: 'send',
    config: null,
    fromHeader: false,
    dotEnds: true,
    sender: null,
    fullName: null,
    notify: null,
    content: null,
    envelopeId: null,
    chosen: null,
    operands: [],
  }
}

/** `ti`, `fuser`, `f` with what follows. */
function readCluster(words: Words, cluster: string, next: () => string): void {
  for (let at = 0; at < cluster.length; at++) {
    const flag = cluster[at]!
    const joined = cluster.slice(at + 1)
    if (own(VALUED, flag) || VALUED_IGNORED.includes(flag)) {
      const value = joined === '' ? next() : joined
      return own(VALUED, flag) ? VALUED[flag]!(words, value) : undefined
    }
    if (own(JOINED, flag)) return JOINED[flag]!(words, joined)
    if (own(PLAIN, flag)) PLAIN[flag]!(words)
    else if (!PLAIN_IGNORED.includes(flag)) throw usage(`-${flag}: sendmail has no such option`)
  }
}

const own = (table: object, flag: string): boolean => Object.hasOwn(table, flag)

function missing(word: string): never {
  throw usage(`${word}: a value is missing behind it`)
}

const MODES: Readonly<Record<string, Mode>> = {
  m: 'send',
  s: 'session',
  v: 'verify',
  p: 'queue',
  i: 'aliases',
}

function setMode(words: Words, value: string): void {
  if (value === 'd' || value === 'D' || value === 'l') {
    throw usage(`-b${value}: the server is started with 'mailtap run'`)
  }
  if (!own(MODES, value))
    throw usage(`-b${value}: not a mode of this sendmail; -bm -bs -bv -bp -bi are`)
  words.mode = MODES[value]!
}

/** `-oi` and its like; what else there is says how other sendmails shall work. */
function setOld(words: Words, value: string): void {
  if (value === 'i') words.dotEnds = false
}

function setFlush(words: Words, value: string): void {
  words.mode = 'flush'
  const [by, what] = [value.slice(0, 1), value.slice(1)]
  if (value === '') return
  if ((by !== 'I' && by !== 'R') || what === '') {
    throw usage(
      `-q${value}: the server looks after its queue by itself; -q, -qIid and -qRrecipient work`,
    )
  }
  words.chosen = { by: by === 'I' ? 'id' : 'recipient', what }
}

const EVENTS = ['success', 'failure', 'delay'] as const

function notifyOf(value: string): readonly DsnEvent[] {
  const said = value.toLowerCase().split(',')
  if (said.length === 1 && said[0] === 'never') return []
  const events = EVENTS.filter((event) => said.includes(event))
  if (events.length === said.length) return events
  throw usage(`-N ${value}: 'never', or some of success,failure,delay`)
}

function contentOf(value: string): 'full' | 'headers' {
  const said = value.toLowerCase()
  if (said === 'full') return 'full'
  if (said === 'hdrs') return 'headers'
  throw usage(`-R ${value}: 'full' or 'hdrs'`)
}

/** RFC 3461 section 4. */
function envelopeIdOf(value: string): string {
  const xtext = value.replace(/[^!-~]|[+=]/gu, (character) => {
    if (character !== ' ' && !/^[!-~]$/.test(character)) throw badEnvelopeId()
    return `+${character.charCodeAt(0).toString(16).toUpperCase()}`
  })
  if (xtext === '' || xtext.length > MAX_ENVELOPE_ID) throw badEnvelopeId()
  return xtext
}

const badEnvelopeId = () => usage(`-V: printable ASCII, at most ${MAX_ENVELOPE_ID} characters`)
