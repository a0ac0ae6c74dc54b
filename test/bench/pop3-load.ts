/**
 * Works with POP3 mailboxes as fast as a server allows, in a process of its own.
 * Usage: node pop3-load.js PORT MODE ARGUMENTS. Says `ready`, waits for `go`, says how long it took:
 * login USER TIMES COUNT      each login from USER to the answer to STAT, which must tell COUNT messages
 * uidl USER TIMES             each UIDL of the whole mailbox
 * sequential USER COUNT       all RETR together, one after the other; pipelined: many under way
 * remove USER COUNT           all DELE together, many under way, then QUIT
 * sessions USERS CLIENTS MS   logins with STAT and QUIT of so many clients for so long
 * hold COUNT COUNT, stall COUNT   see pop3-crowd.ts
 */
import { once } from 'node:events'
import { hold, login, over, quit, sessions, stall } from './pop3-crowd.js'
import { Pop3Wire } from './pop3-wire.js'

const port = Number(process.argv[2])
const mode = process.argv[3] ?? ''
const [user = '', ...numbers] = process.argv.slice(4)
const times = Number(numbers[0])
const all = process.argv.slice(4).map(Number)

/** Logins of the user u1 before one is measured. */
const PRACTICE = 30

let begun = { cpu: process.cpuUsage(), at: 0 }

async function ready(): Promise<void> {
  process.send!('ready')
  await once(process, 'message')
  begun = { cpu: process.cpuUsage(), at: performance.now() }
}

function tell(outcome: object): void {
  const { user: own, system } = process.cpuUsage(begun.cpu)
  const driver = (own + system) / 1e3 / (performance.now() - begun.at)
  process.send!({ ...outcome, driver })
}

/** Logged in, and told to go. */
async function started(): Promise<Pop3Wire> {
  const wire = await Pop3Wire.to(port)
  await login(wire, user)
  await wire.ask('STAT')
  await ready()
  return wire
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

function tellEach(each: readonly number[]): void {
  tell({ milliseconds: each.reduce((a, b) => a + b), each })
}

/** Code that has just begun is slow, the driver's too. */
async function practised(): Promise<void> {
  for (let i = 0; i < PRACTICE; i++) {
    const wire = await Pop3Wire.to(port)
    await login(wire, 'u1')
    await wire.ask('STAT')
    await quit(wire)
  }
}

async function logins(): Promise<void> {
  await practised()
  await ready()
  const each: number[] = []
  for (let i = 0; i < times; i++) {
    const wire = await Pop3Wire.to(port)
    const start = performance.now()
    await login(wire, user)
    const told = await wire.ask('STAT')
    each.push(performance.now() - start)
    if (!told.startsWith(`+OK ${numbers[1]} `))
      throw new Error(`${numbers[1]} expected, heard: ${told}`)
    await quit(wire)
  }
  tellEach(each)
}

async function uidl(): Promise<void> {
  const wire = await started()
  const each: number[] = []
  for (let i = 0; i < times; i++) each.push(await timed(() => wire.list('UIDL')))
  tellEach(each)
  await quit(wire)
}

async function fetched(fetch: (wire: Pop3Wire) => Promise<void>): Promise<void> {
  const wire = await started()
  const before = wire.octets
  const milliseconds = await timed(() => fetch(wire))
  tell({ milliseconds, octets: wire.octets - before, count: times })
  await quit(wire)
}

async function oneByOne(wire: Pop3Wire): Promise<void> {
  for (let n = 1; n <= times; n++) await wire.list(`RETR ${n}`)
}

async function remove(): Promise<void> {
  const wire = await started()
  const marked = await timed(() => wire.pipelined('DELE', times, false))
  tellEach([marked, await timed(() => quit(wire))])
}

async function crowd(act: () => Promise<object>): Promise<void> {
  tell(await act())
  await over()
}

const modes: Readonly<Record<string, () => Promise<void>>> = {
  login: logins,
  uidl,
  sequential: () => fetched(oneByOne),
  pipelined: () => fetched((wire) => wire.pipelined('RETR', times, true)),
  remove,
  sessions: async () => {
    await ready()
    tell(await sessions(port, all))
  },
  hold: () => crowd(() => hold(port, all, ready)),
  stall: () => crowd(() => stall(port, all, ready)),
}

void modes[mode]!().then(() => process.disconnect())
