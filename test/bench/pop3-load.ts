/**
 * Works with a mailbox as fast as a server allows, in a process of its own.
 * Usage: node pop3-load.js PORT MODE TIMES. Says `ready`, waits for `go`, says how long it took:
 * login       each login from USER to the answer to STAT
 * uidl        each UIDL of the whole mailbox
 * sequential  all RETR together, one after the other; pipelined: sent at once; poured: bytes counted only
 * remove      all DELE together, sent at once, then QUIT
 */
import { once } from 'node:events'
import { Wire } from './wire.js'

const port = Number(process.argv[2])
const mode = process.argv[3] ?? ''
const times = Number(process.argv[4])

async function greeted(): Promise<Wire> {
  const wire = await Wire.to(port)
  await wire.ok()
  return wire
}

async function login(wire: Wire): Promise<void> {
  for (const command of ['USER bob@example.com', 'PASS secret', 'STAT']) {
    wire.write(`${command}\r\n`)
    await wire.ok()
  }
}

async function quit(wire: Wire): Promise<void> {
  wire.write('QUIT\r\n')
  await wire.ok()
  wire.close()
}

async function sequential(wire: Wire): Promise<number> {
  let octets = 0
  for (let n = 1; n <= times; n++) {
    wire.write(`RETR ${n}\r\n`)
    octets += await wire.body()
  }
  return octets
}

/** All commands at once: what a client may do where CAPA says PIPELINING (RFC 2449 section 6.6). */
async function pipelined(wire: Wire): Promise<number> {
  wire.write(Array.from({ length: times }, (_, i) => `RETR ${i + 1}\r\n`).join(''))
  let octets = 0
  for (let n = 1; n <= times; n++) octets += await wire.body()
  return octets
}

/** For bodies too large to be searched for their end by a driver in JavaScript. */
async function poured(wire: Wire): Promise<number> {
  let octets = 0
  for (let n = 1; n <= times; n++) {
    wire.write(`RETR ${n}\r\n`)
    octets += await wire.counted()
  }
  return octets
}

const fetches = { sequential, pipelined, poured }

async function fetchAll(fetch: (wire: Wire) => Promise<number>): Promise<void> {
  const wire = await started()
  const start = performance.now()
  const octets = await fetch(wire)
  process.send!({ milliseconds: performance.now() - start, octets })
  await quit(wire)
}

/** Logged in, and told to go. */
async function started(): Promise<Wire> {
  const wire = await greeted()
  await login(wire)
  process.send!('ready')
  await once(process, 'message')
  return wire
}

async function timed(act: () => Promise<unknown>): Promise<number> {
  const start = performance.now()
  await act()
  return performance.now() - start
}

function tell(each: readonly number[]): void {
  process.send!({ milliseconds: each.reduce((a, b) => a + b), each })
}

async function uidl(): Promise<void> {
  const wire = await started()
  const each: number[] = []
  for (let i = 0; i < times; i++) {
    wire.write('UIDL\r\n')
    each.push(await timed(() => wire.counted()))
  }
  tell(each)
  await quit(wire)
}

async function remove(): Promise<void> {
  const wire = await started()
  const commands = Array.from({ length: times }, (_, i) => `DELE ${i + 1}\r\n`).join('')
  const marked = await timed(async () => {
    wire.write(commands)
    for (let n = 1; n <= times; n++) await wire.ok()
  })
  tell([marked, await timed(() => quit(wire))])
}

async function logins(): Promise<void> {
  process.send!('ready')
  await once(process, 'message')
  const each: number[] = []
  for (let i = 0; i < times; i++) {
    const wire = await greeted()
    const start = performance.now()
    await login(wire)
    each.push(performance.now() - start)
    await quit(wire)
  }
  tell(each)
}

function run(): Promise<void> {
  const alone = { login: logins, uidl, remove }
  return mode in alone
    ? alone[mode as keyof typeof alone]()
    : fetchAll(fetches[mode as keyof typeof fetches])
}

void run().then(() => process.disconnect())
