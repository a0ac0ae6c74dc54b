/** The program `mailtap`: calls the command, and tells what went wrong. */
import { basename } from 'node:path'
import { mailtapProgram } from './commands.js'
import { notBuilt } from './exit.js'
import { explain } from './explain.js'
import { runProgram } from './program.js'
import { complain, tolerateClosedOutput } from './terminal.js'

/** Names under which other programs call a mail server; a mail that they hand over must not get lost. */
const OTHER_NAMES = ['sendmail', 'mailq', 'newaliases']

/** @returns the exit code */
export async function mailtap(): Promise<number> {
  tolerateClosedOutput()
  try {
    const name = basename(process.argv[1] ?? '')
    if (OTHER_NAMES.includes(name)) throw notBuilt(`mailtap as '${name}'`)
    return await runProgram(mailtapProgram(), process.argv.slice(2))
  } catch (error) {
    const { code, lines } = explain(error)
    for (const line of lines) complain(line)
    return code
  }
}
