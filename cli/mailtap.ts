/** The program `mailtap`: calls the command, and tells what went wrong. */
import { basename } from 'node:path'
import { mailtapProgram } from './commands.js'
import { notBuilt } from './exit.js'
import { explain } from './explain.js'
import { runProgram } from './program.js'
import { complain, tolerateClosedOutput } from './terminal.js'

/** Names under which other programs call a mail server; a mail that they hand over must not get lost. */
const OTHER_NAMES = ['sendmail', 'newaliases']

/** @returns the exit code */
export async function mailtap(): Promise<number> {
  tolerateClosedOutput()
  try {
    const name = basename(process.argv[1] ?? '')
    if (OTHER_NAMES.includes(name)) throw notBuilt(`mailtap as '${name}'`)
    const words = process.argv.slice(2)
    return await runProgram(mailtapProgram(), name === 'mailq' ? mailqWords(words) : words)
  } catch (error) {
    const { code, lines } = explain(error)
    for (const line of lines) complain(line)
    return code
  }
}

/** What others say to a mailq: be wordy, the queue of submitted mail, list the queue. Ours has one queue and one list. */
const SAID_TO_MAILQ = ['-v', '-Ac', '-bp']

/** `mailq` is a command without a name of its own. */
function mailqWords(words: readonly string[]): readonly string[] {
  return ['queue', 'list', '--mailq', ...words.filter((word) => !SAID_TO_MAILQ.includes(word))]
}
