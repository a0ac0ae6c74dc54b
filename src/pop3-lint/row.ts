/** A row of the report: one demand of an RFC, and how it is put to a server. */
import type { Capabilities } from './capabilities.js'
import type { Client } from './client.js'
import type { Drop } from './survey.js'
import type { Account, Target } from './target.js'

/**
 * `PASS`: the demand is met. `FAIL`: it is not. `SKIP`: could not be asked here, and why.
 * `NOTE`: no demand, but good to know.
 */
export type Mark = 'PASS' | 'FAIL' | 'SKIP' | 'NOTE'

export interface Verdict {
  readonly mark: Mark
  readonly expected: string
  readonly came: string
}

/** What a row may use. Connections that it opens are left behind it. */
export interface Bench {
  readonly target: Target
  readonly account: Account
  /** Rows that remove a message, whoever it is from, are allowed. */
  readonly destructive: boolean
  /** What CAPA said before the login and after it; `null` if it was refused. */
  readonly before: Capabilities | null
  readonly after: Capabilities | null
  readonly drop: Drop
  /** Up to the greeting, and through TLS as the target says. @throws Unreachable, NoAnswer */
  connect(): Promise<Client>
  /** Up to the greeting, in clear. @throws Unreachable, NoAnswer */
  connectInClear(): Promise<Client>
  /**
   * A session in which the numbers of `drop` hold.
   * @throws NumbersMoved if they do not, LoginFailed, Unreachable, NoAnswer
   */
  login(): Promise<Client>
  /** A session in which nothing was said yet. @throws LoginFailed, Unreachable, NoAnswer */
  loginAnew(): Promise<Client>
}

/** A row whose answer has to be worked out. */
export interface Check {
  readonly id: string
  readonly what: string
  readonly rfc: string
  readonly check: (bench: Bench) => Promise<Verdict> | Verdict
}

/**
 * A row that is a plain conversation. `C: ` is what we say. `S: ` is how the answer must begin:
 * `+OK`, `-ERR`, or `end` for a closed connection; `|` stands between alternatives.
 */
export interface Transcript {
  readonly id: string
  readonly what: string
  readonly rfc: string
  /** Where it begins: behind the greeting, or in a session that is logged in. */
  readonly at: 'greeting' | 'login'
  /**
   * Message numbers that stand in it: `{1}` any message, `{t}` a test message that may be marked,
   * `{beyond}` one more than there are.
   */
  readonly lines: readonly string[]
  /** Another answer than the expected one is only worth a note. */
  readonly lenient?: true
}

export type Row = Check | Transcript

const MAX_EXCERPT = 160

export const pass = (came = ''): Verdict => ({ mark: 'PASS', expected: '', came: excerpt(came) })
export const note = (came: string): Verdict => ({ mark: 'NOTE', expected: '', came: excerpt(came) })
export const skip = (why: string): Verdict => ({ mark: 'SKIP', expected: '', came: why })
export const fail = (expected: string, came: string): Verdict => ({
  mark: 'FAIL',
  expected,
  came: excerpt(came),
})

/** No fault at all, or the first of them. */
export function verdict(expected: string, faults: readonly string[], good = ''): Verdict {
  const shown = faults.slice(0, 3).join('; ')
  const more = faults.length > 3 ? `; and ${faults.length - 3} more` : ''
  return faults.length === 0 ? pass(good) : fail(expected, `${shown}${more}`)
}

function excerpt(text: string): string {
  return text.length <= MAX_EXCERPT * 2 ? text : `${text.slice(0, MAX_EXCERPT * 2)}…`
}
