/** Where POP3 servers meet: each with a mailbox tree of its own, all with the same mail. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AS_IT_COMES, dovecotMissing, startDovecot, TUNED } from './dovecot.js'
import { fill, type Mails } from './mailboxes.js'
import type { Pop3Server } from './pop3-server.js'
import { startMailtap } from './process.js'
import { makeSite } from './site.js'

/** Clients that come and go or stay, and those that stop reading. */
export const CROWD = 1_000
export const STALLED = 200
/** Milliseconds after which every server takes the times of directories for settled. */
const SETTLED_MS = 2_500

export const OCTETS = 4_096

export interface Field {
  readonly root: string
  readonly cli: string
  readonly rounds: number
  /** Of mailtap; 0 = one process. */
  readonly workers: number
}

export const numbered = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${name}${i + 1}`)

const USERS = [
  'postmaster',
  ...['box10', 'box10000', 'box100000', 'seen10000', 'unsized10000', 'large', 'doomed'],
  ...numbered('u', CROWD),
  ...numbered('big', STALLED),
]

/** Mailtap, then Dovecot and its tuned twin if it can be measured here, for as long as `act` needs them. */
export async function beside(
  field: Field,
  act: (servers: readonly Pop3Server[]) => Promise<void>,
): Promise<void> {
  const servers = [await mailtap(field, '30d')]
  if (dovecotMissing() === null) {
    for (const tuning of [AS_IT_COMES, TUNED]) {
      servers.push(await startDovecot(field.root, USERS, tuning))
    }
  }
  await act(servers)
  for (const server of servers) await server.stop()
}

/** @param trash as in the config */
export async function mailtap({ root, cli, workers }: Field, trash: string): Promise<Pop3Server> {
  const site = makeSite(root, `mailtap-${trash}`, { users: USERS, trash, workers })
  const { name, group, pop3 } = await startMailtap(cli, site)
  return { name, port: pop3, mail: site.domain, owner: null, group, stop: () => group.stop() }
}

export const mailboxOf = ({ mail }: Pop3Server, user: string): string => join(mail, user)

/** Gives the user of each server that mail, unless he has it from before. */
export async function stocked(
  servers: readonly Pop3Server[],
  users: readonly string[],
  mails: Mails,
): Promise<void> {
  for (const server of servers) {
    for (const user of users) {
      const maildir = mailboxOf(server, user)
      if (!existsSync(maildir)) fill(maildir, mails, server.owner)
    }
  }
  await sleep(SETTLED_MS)
}

/** Logs in until every index is there, written when nothing had changed for a while. */
export async function warmed(act: () => Promise<unknown>): Promise<void> {
  await act()
  await sleep(SETTLED_MS)
  await act()
}
