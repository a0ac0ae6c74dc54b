/** The program `mailtap`: calls the command, and tells what went wrong. */
import { basename } from 'node:path'
import { mailtapProgram } from './commands.js'
import { Exit } from './exit.js'
import { explain } from './explain.js'
import { runProgram } from './program.js'
import { sendmail, SENDMAIL_NAMES } from './sendmail.js'
import { complain, tolerateClosedOutput } from './terminal.js'

/** @returns the exit code */
export async function mailtap(): Promise<number> {
  tolerateClosedOutput()
  try {
    return await called(basename(process.argv[1] ?? ''), process.argv.slice(2))
  } catch (error) {
    const { code, lines } = explain(error)
    for (const line of lines) complain(line)
    return code
  }
}

/** Under the names of sendmail the words are sendmail's, whose grammar is none of ours. */
async function called(name: string, words: readonly string[]): Promise<number> {
  const { as, config, rest } = asSendmail(name, words)
  if (as === null) return runProgram(mailtapProgram(), words)
  await sendmail(as, rest, config)
  return Exit.ok
}

interface Called {
  readonly as: string | null
  readonly config: string | null
  readonly rest: readonly string[]
}

/** Called as `sendmail …`, `mailtap sendmail …` or `mailtap -c FILE sendmail …`. */
function asSendmail(name: string, words: readonly string[]): Called {
  if (Object.hasOwn(SENDMAIL_NAMES, name)) return { as: name, config: null, rest: words }
  const named = words[0] === '-c' || words[0] === '--config'
  const [verb = '', ...rest] = named ? words.slice(2) : words
  const as = Object.hasOwn(SENDMAIL_NAMES, verb) ? verb : null
  return { as, config: named ? (words[1] ?? null) : null, rest }
}
