/** `mailtap mailbox check`: what is wrong with a mailbox, and `--fix` for what needs no guessing. */
import { type Finding, HARMLESS, inspect, repair } from '../maildir/inspect.js'
import { accountOf, named, type Account } from './account.js'
import type { Given } from './command.js'
import { Exit, Failure } from './exit.js'
import { alone, giveMailbox, requireMailbox } from './mailbox-work.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

/** Lines that are printed; --json has them all. */
const MAX_LINES = 1_000

export async function checkMailbox(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  await requireMailbox(account)
  if (!given.has('fix') || given.has('dry-run'))
    return tell(account, given, await inspect(account.mailbox))
  const left = await alone(config, account, async () => {
    const count = await repair(account.mailbox, await inspect(account.mailbox))
    await giveMailbox(account)
    if (!given.has('json')) say(`repaired ${count}`)
    return inspect(account.mailbox)
  })
  tell(account, given, left)
}

/** @throws Failure when something is wrong that harms somebody */
function tell(account: Account, given: Given, findings: readonly Finding[]): void {
  if (given.has('json')) sayJson(findings)
  else sayAll(findings, given)
  const bad = findings.filter(({ kind }) => !HARMLESS.has(kind)).length
  if (bad > 0) throw new Failure(Exit.badData, `${named(account)}: ${bad} faults in the mailbox`)
  if (findings.length === 0 && !given.has('json')) say(`${named(account)}: nothing is wrong`)
}

function sayAll(findings: readonly Finding[], given: Given): void {
  const would = given.has('fix')
  for (const { kind, place, what, repair: to } of findings.slice(0, MAX_LINES)) {
    say(`${kind}: ${place}: ${what}`)
    if (would && to !== null) say(to === '' ? '  would remove it' : `  would rename it to ${to}`)
  }
  const more = findings.length - MAX_LINES
  if (more > 0) say(`and ${more} more; --json prints all`)
}
