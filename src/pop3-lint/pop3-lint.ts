/**
 * Puts the demands of the POP3 RFCs to a server, whosever it is, and reports row by row. What the
 * rows need they find in the mailbox; they change nothing in it unless they are allowed to.
 */
import { isAnswer, OpenBench } from './bench.js'
import { NumbersMoved } from './numbers-moved.js'
import { type Bench, fail, type Row, skip, type Verdict } from './row.js'
import { ROWS } from './rows.js'
import { statusRows } from './rows/status.js'
import { StatusLines } from './status-lines.js'
import type { Account, Target } from './target.js'
import { play } from './transcript.js'

export { Unreachable } from './connection.js'
export { LoginFailed } from './login-failed.js'
export type { Mark, Verdict } from './row.js'
export type { Account, Security, Target } from './target.js'
export { TEST_MESSAGES } from './test-messages.js'

export interface LintOptions {
  readonly target: Target
  readonly account: Account
  /** Rows may remove messages, whosever they are. */
  readonly destructive: boolean
}

/** One row of the report. */
export interface Finding extends Verdict {
  /** Stable from version to version, for scripts. */
  readonly id: string
  readonly what: string
  /** Where it is written. */
  readonly rfc: string
}

/**
 * Each row as soon as it is known.
 * @throws Unreachable, LoginFailed before the first row; later both are faults of the server
 */
export async function* lint(options: LintOptions): AsyncGenerator<Finding> {
  const statusLines = new StatusLines()
  const bench = await OpenBench.prepare(options, statusLines)
  for (const row of [...ROWS, ...statusRows(statusLines)]) {
    const { id, what, rfc } = row
    const verdict = await put(row, bench)
    await bench.clear()
    yield { id, what, rfc, ...verdict }
  }
}

async function put(row: Row, bench: Bench): Promise<Verdict> {
  try {
    return await ('check' in row ? row.check(bench) : play(row, bench))
  } catch (error) {
    if (error instanceof NumbersMoved) return skip(error.message)
    if (!isAnswer(error)) throw error
    return fail('an answer', error.message)
  }
}
