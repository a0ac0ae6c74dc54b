/** `mailtap mailbox check`: what is wrong with a mailbox, and `--fix` for what needs no guessing. */
import { join } from 'node:path'
import { DOVECOT_FILE } from '../maildir/dovecot-uidlist.js'
import { type Finding, HARMLESS, inspect, repair } from '../maildir/inspect.js'
import { accountOf, named, type Account } from './account.js'
import { CONFIG, DRY_RUN, JSON_OUTPUT, type Given, type Option } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { alone, giveMailbox, requireGivableMailbox, requireMailbox } from './mailbox-work.js'
import { isThere } from './make.js'
import { settingsFor } from './settings.js'
import { say, sayJson, warn } from './terminal.js'

/** Lines that are printed; --json has them all. */
const MAX_LINES = 1_000
/** What is put right by another name. */
const SIZES: ReadonlySet<Finding['kind']> = new Set(['size missing', 'size wrong'])

export const CHECK_OPTIONS: readonly Option[] = [
  CONFIG,
  { flags: '--fix', help: 'put right sizes into names, clear away what is stale' },
  {
    flags: '--force',
    help: `rename also where there is a ${DOVECOT_FILE}; clients of Dovecot then fetch these again`,
  },
  DRY_RUN,
  JSON_OUTPUT,
]

export async function checkMailbox(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  if (given.has('force') && !given.has('fix')) throw usage('--force belongs to --fix; leave it out')
  await requireMailbox(account)
  const works = given.has('fix') && !given.has('dry-run')
  const findings = works
    ? await alone(config, account, () => fix(account, given))
    : await look(account, given)
  await tell(account, given, findings)
}

const look = ({ mailbox }: Account, given: Given): Promise<Finding[]> =>
  inspect(mailbox, { renameUnderDovecot: given.has('force') })

/** @returns what is left */
async function fix(account: Account, given: Given): Promise<Finding[]> {
  await requireGivableMailbox(account)
  const count = await repair(account.mailbox, await look(account, given))
  await giveMailbox(account)
  if (!given.has('json')) say(`repaired ${count}`)
  return look(account, given)
}

/** @throws Failure when something is wrong that harms somebody */
async function tell(account: Account, given: Given, findings: readonly Finding[]): Promise<void> {
  if (given.has('fix') && !given.has('force')) await warnOfDovecot(account, findings)
  if (given.has('json')) sayJson(findings)
  else sayAll(findings, given)
  const bad = findings.filter(({ kind }) => !HARMLESS.has(kind)).length
  if (bad > 0) throw new Failure(Exit.badData, `${named(account)}: ${bad} faults in the mailbox`)
  if (findings.length === 0 && !given.has('json')) say(`${named(account)}: nothing is wrong`)
}

async function warnOfDovecot({ mailbox }: Account, findings: readonly Finding[]): Promise<void> {
  const stay = findings.some(({ kind, repair: to }) => SIZES.has(kind) && to === null)
  if (!stay || !(await isThere(join(mailbox, DOVECOT_FILE)))) return
  const what = 'Dovecot knows the messages by their names, so these stay'
  warn(
    `${mailbox} has a ${DOVECOT_FILE}: ${what}; --force renames them, and clients fetch them again`,
  )
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
