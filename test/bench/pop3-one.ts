/** One POP3 session at a time: what a login, a list, a retrieval and a removal take. */
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { deliveredAnew, fill, type Mails, seenElsewhere } from './mailboxes.js'
import { beside, type Field, mailboxOf, mailtap, OCTETS, stocked, warmed } from './pop3-field.js'
import { alternating, type Pop3Server, type Taken, take } from './pop3-server.js'
import { cpuRow, rowOf } from './pop3-table.js'

type Servers = readonly Pop3Server[]

const SIZES = [10, 10_000, 100_000]
const LOGINS = 5
/** Logins after which a server knows its own code. */
const FIRST_LOGINS = 300
/** The driver practises with it, too. */
const PRACTICE = 'u1'
const FEW = 10
const LISTS = 3
const FETCHED = 10_000
const LARGE = { count: 200, octets: 1_048_576, sized: true }
const REMOVED = 10_000
/** Rounds at most of what takes seconds. */
const MAX_SLOW = 3
/** Milliseconds until a change can not hide any more behind a tick of the kernel's clock. */
const TICK_MS = 50

const times = (taken: Taken): readonly number[] => taken.each

/** With the indexes that the servers made. */
export function login(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    await practised(servers)
    for (const count of SIZES) {
      const user = `box${count}`
      const enter = (server: Pop3Server): Promise<Taken> =>
        take(server, 'login', user, LOGINS, count)
      await stocked(servers, [user], { count, octets: OCTETS, sized: true })
      await warmed(() => alternating(servers, 1, enter))
      const found = await alternating(servers, field.rounds, enter)
      rowOf(`login to STAT, warm, ${count} messages`, 'ms', found, times)
      cpuRow(found)
    }
  })
}

/** A server's first logins ever are slower than its first to one mailbox. */
async function practised(servers: Servers): Promise<void> {
  await stocked(servers, [PRACTICE], { count: FEW, octets: OCTETS, sized: true })
  await alternating(servers, 1, (server) => take(server, 'login', PRACTICE, FIRST_LOGINS, FEW))
}

/** What a login to such a mailbox without index takes. */
interface Bare {
  readonly figure: string
  readonly user: string
  readonly mails: Mails
  prepare(maildir: string): void
}

/** Without: all mail is new to the server, but for the row that says something else. */
export function bare(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    await practised(servers)
    for (const each of BARE) await bareRow(field, servers, each)
  })
}

const many = { count: 10_000, octets: OCTETS, sized: true }
const BARE: readonly Bare[] = [
  ...SIZES.map((count) => ({
    figure: `${count} messages in new/`,
    user: `box${count}`,
    mails: { ...many, count },
    prepare: deliveredAnew,
  })),
  { figure: '10000 in cur/', user: 'seen10000', mails: many, prepare: seenElsewhere },
  {
    figure: 'no sizes in names, 10000 in new/',
    user: 'unsized10000',
    mails: { ...many, sized: false },
    prepare: deliveredAnew,
  },
]

async function bareRow({ rounds }: Field, servers: Servers, each: Bare): Promise<void> {
  const { figure, user, mails, prepare } = each
  await stocked(servers, [user], mails)
  const enter = async (server: Pop3Server): Promise<Taken> => {
    prepare(mailboxOf(server, user))
    await sleep(TICK_MS)
    return take(server, 'login', user, 1, mails.count)
  }
  await alternating(servers, 1, enter)
  const found = await alternating(servers, Math.min(rounds, MAX_SLOW), enter)
  rowOf(`login to STAT, no index, ${figure}`, 'ms', found, times)
  cpuRow(found)
}

export function uidl(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    const user = 'box100000'
    await stocked(servers, [user], { count: 100_000, octets: OCTETS, sized: true })
    await warmed(() => alternating(servers, 1, (server) => take(server, 'uidl', user, 1)))
    const found = await alternating(servers, field.rounds, (server) =>
      take(server, 'uidl', user, LISTS),
    )
    rowOf('UIDL of 100000', 'ms', found, times)
    cpuRow(found)
  })
}

export function retr(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    const user = `box${FETCHED}`
    await stocked(servers, [user], { count: FETCHED, octets: OCTETS, sized: true })
    for (const mode of ['sequential', 'pipelined']) {
      const fetch = (server: Pop3Server): Promise<Taken> => take(server, mode, user, FETCHED)
      await warmed(() => alternating(servers, 1, fetch))
      const found = await alternating(servers, field.rounds, fetch)
      const speed = ({ count, milliseconds }: Taken): number[] => [(count * 1e3) / milliseconds]
      rowOf(`RETR of 4 KiB, one session, ${mode}`, '/s', found, speed)
      cpuRow(found)
    }
  })
}

export function large(field: Field): Promise<void> {
  return beside(field, async (servers) => {
    await stocked(servers, ['large'], LARGE)
    const fetch = (server: Pop3Server): Promise<Taken> =>
      take(server, 'sequential', 'large', LARGE.count)
    await warmed(() => alternating(servers, 1, fetch))
    const found = await alternating(servers, field.rounds, fetch)
    const speed = ({ octets, milliseconds }: Taken): number[] => [octets / milliseconds / 1e3]
    rowOf('RETR of 1 MiB', 'MB/s', found, speed)
    cpuRow(found)
  })
}

/** Both of mailtap's ways, each beside the same removals of Dovecot. */
export function dele(field: Field): Promise<void> {
  return beside(field, async ([ours, ...others]) => {
    const without = await mailtap(field, 'off')
    const servers = [ours!, without, ...others]
    await practised(servers)
    await alternating(servers, 1, removal)
    const found = await alternating(servers, field.rounds, removal)
    const [kept, gone, ...theirs] = found as [Taken[], Taken[], ...Taken[][]]
    rowOf(`DELE of ${REMOVED}`, 'ms', [kept, ...theirs], (taken) => taken.each.slice(0, 1))
    const quit = (taken: Taken): readonly number[] => taken.each.slice(1)
    rowOf('and then QUIT, trash = "30d"', 'ms', [kept, ...theirs], quit)
    rowOf('and then QUIT, trash = "off"', 'ms', [gone, ...theirs], quit)
    await without.stop()
  })
}

async function removal(server: Pop3Server): Promise<Taken> {
  const maildir = mailboxOf(server, 'doomed')
  rmSync(maildir, { recursive: true, force: true })
  fill(maildir, { count: REMOVED, octets: OCTETS, sized: true }, server.owner)
  await sleep(TICK_MS)
  await take(server, 'login', 'doomed', 1, REMOVED)
  return take(server, 'remove', 'doomed', REMOVED)
}
