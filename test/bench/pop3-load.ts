/**
 * Fetches mail as fast as a server gives it, in a process of its own.
 * Usage: node pop3-load.js PORT (sequential|pipelined|login) TIMES. Says `ready`, waits for
 * `go`, says how long it took: all RETR together, or each login from USER to the answer to STAT.
 */
import { once } from 'node:events'
import { Wire } from './wire.js'

const port = Number(process.argv[2])
const mode = process.argv[3]
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

async function fetchAll(): Promise<void> {
  const wire = await greeted()
  await login(wire)
  process.send!('ready')
  await once(process, 'message')
  const start = performance.now()
  const octets = await (mode === 'pipelined' ? pipelined(wire) : sequential(wire))
  process.send!({ milliseconds: performance.now() - start, octets })
  await quit(wire)
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
  process.send!({ milliseconds: each.reduce((a, b) => a + b), each })
}

void (mode === 'login' ? logins() : fetchAll()).then(() => process.disconnect())
