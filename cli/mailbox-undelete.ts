/** `mailtap mailbox undelete`: puts deleted mail back; clients see it at their next login. */
import { type Deleted, deleted, undelete, type Usage } from '../maildir/maildir.js'
import { accountOf, named } from './account.js'
import { DRY_RUN, CONFIG, JSON_OUTPUT, type Given, type Option } from './command.js'
import { Exit, Failure, usage } from './exit.js'
import { FORCE_QUOTA, requireQuota } from './mailbox-quota.js'
import { requireMailbox } from './mailbox-work.js'
import { settingsFor } from './settings.js'
import { say, sayJson } from './terminal.js'

export const UNDELETE_OPTIONS: readonly Option[] = [
  CONFIG,
  {
    flags: '--since <time>',
    help: 'only what was deleted since: 2d, 12h, 2026-01-31, 2026-01-31T09:00',
  },
  { flags: '--message <id>', help: 'only this message, by its UIDL or its Message-ID; repeatable' },
  FORCE_QUOTA,
  DRY_RUN,
  JSON_OUTPUT,
]

const UNITS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const AGO = /^(\d{1,5})([mhdw])$/
const DATE = /^\d{4}-\d{2}-\d{2}$/
const MOMENT = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2})?(?:Z|[+-]\d{2}:\d{2})?$/

/** One message, in the words of the output. */
interface Found {
  readonly uidl: string
  readonly deleted: string
  readonly size: number
  readonly from: string
  readonly subject: string
}

/** @throws Failure when a message that was named is not in the trash */
export async function undeleteMail(given: Given): Promise<void> {
  const config = await settingsFor(given)
  const account = accountOf(config, given.argument!)
  await requireMailbox(account)
  const chosen = choose(account.mailbox, given)
  await requireQuota(config, account, given, async () => amountOf(chosen))
  const dry = given.has('dry-run')
  const back = dry ? null : new Set(undelete(account.mailbox, [...chosen.keys()]))
  const found = [...chosen].filter(([place]) => back?.has(place) ?? true).map(([, each]) => each)
  if (given.has('json')) return sayJson(found)
  for (const { uidl, deleted: at, size, from, subject } of found) {
    say([uidl, at, size, from, subject].join('\t'))
  }
  const count = `${found.length} message${found.length === 1 ? '' : 's'}`
  say(dry ? `would put ${count} back` : `put ${count} back into the mailbox of ${named(account)}`)
}

/** Place → message. Of each only what is printed is kept in memory. */
function choose(mailbox: string, given: Given): ReadonlyMap<string, Found> {
  const since = timeOf(given.last('since'))
  const wanted = new Set(given.all('message').map(bare))
  const missing = new Set(wanted)
  const chosen = new Map<string, Found>()
  for (const message of deleted(mailbox)) {
    const ids = [...message.uids, bare(field(message, 'message-id'))].filter((id) => wanted.has(id))
    for (const id of ids) missing.delete(id)
    const asked = wanted.size === 0 || ids.length > 0
    if (asked && message.at >= since) chosen.set(message.place, describe(message))
  }
  if (missing.size === 0) return chosen
  throw new Failure(
    Exit.badData,
    `not in the trash: ${[...missing].join(', ')}; nothing was put back`,
  )
}

/** The trash does not count, what comes out of it does. */
function amountOf(chosen: ReadonlyMap<string, Found>): Usage {
  const bytes = [...chosen.values()].reduce((sum, { size }) => sum + size, 0)
  return { bytes, messages: chosen.size }
}

function describe(message: Deleted): Found {
  return {
    uidl: message.uids[0]!,
    deleted: new Date(message.at).toISOString(),
    size: message.size,
    from: field(message, 'from'),
    subject: field(message, 'subject'),
  }
}

/** The first field of that name, unfolded; empty if there is none. */
function field({ header }: Deleted, name: string): string {
  const match = new RegExp(`^${name}:[ \\t]*(.*(?:\\r?\\n[ \\t].*)*)`, 'im').exec(header)
  const text = Buffer.from(match?.[1] ?? '', 'latin1').toString()
  return text.replace(/\r?\n[ \t]+/g, ' ').trim()
}

const bare = (id: string): string => id.replace(/^<(.*)>$/, '$1')

function timeOf(text: string | null): number {
  if (text === null) return -Infinity
  const ago = AGO.exec(text)
  if (ago !== null) return Date.now() - Number(ago[1]) * UNITS[ago[2]!]!
  // A day begins here, not in Greenwich.
  const time = DATE.test(text) ? Date.parse(`${text}T00:00`) : MOMENT.test(text) && Date.parse(text)
  if (typeof time === 'number' && Number.isFinite(time)) return time
  throw usage(`--since: '${text}' is no time; write 2d, 12h, 2026-01-31 or 2026-01-31T09:00`)
}
