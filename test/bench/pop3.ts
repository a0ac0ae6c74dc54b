/** POP3: mailtap beside Dovecot, on the same mails, in the same run; see {@link ROWS} for what. */
import { chmodSync, statfsSync } from 'node:fs'
import { dovecotMissing } from './dovecot.js'
import { Group } from './group.js'
import type { Field } from './pop3-field.js'
import { idle, sessions, stalled } from './pop3-many.js'
import { bare, dele, large, login, retr, uidl } from './pop3-one.js'
import { headline } from './pop3-table.js'
import { say } from './report.js'

/** What can be chosen. */
const ROWS = { login, bare, uidl, retr, large, dele, sessions, idle, stalled }
/** Octets that the mailboxes of three servers need at most. */
const ROOM = 4_000_000_000

/** @param rows what to measure, all if it is empty. @throws when one is not known */
export async function pop3(field: Field, rows: readonly string[]): Promise<void> {
  const unknown = rows.find((name) => !(name in ROWS))
  if (unknown !== undefined) {
    throw new Error(`rows=${unknown}: known are ${Object.keys(ROWS).join(', ')}`)
  }
  const { bavail, bsize } = statfsSync(field.root)
  if (bavail * bsize < ROOM) {
    return say(`POP3 IS NOT MEASURED: ${field.root} has no room for ${ROOM / 1e9} GB`)
  }
  // Dovecot's processes run as users of their own and have to come through here.
  chmodSync(field.root, 0o711)
  await tellWhat(field)
  headline()
  for (const [name, act] of Object.entries(ROWS)) {
    if (rows.length === 0 || rows.includes(name)) await act(field)
  }
}

async function tellWhat({ rounds }: Field): Promise<void> {
  const missing = dovecotMissing()
  say(`POP3: medians of ${rounds} rounds in turns, passwords in clear so that no hash is measured`)
  const probe = Group.open(`mailtap-bench-${process.pid}-probe`)
  say(`CPU of all processes of a server, by ${probe.way}; memory as Pss`)
  await probe.stop()
  if (missing === null) return say('Dovecot with mail_fsync = always: both sync what they remove')
  say()
  say(`DOVECOT IS NOT MEASURED: ${missing}. THERE IS NOTHING BESIDE THE FIGURES BELOW.`)
  say()
}
