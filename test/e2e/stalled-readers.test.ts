/** Two hundred clients that ask for fifty megabytes and then read no further (P10). */
import { once } from 'node:events'
import { existsSync, statfsSync } from 'node:fs'
import { link, mkdir, readFile, writeFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect } from 'vitest'
import { stillAnswers } from '../helpers/mail-talk.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, type RunningServer, Site } from '../helpers/site.js'

const READERS = 200
const MEGABYTE = 1_000_000
const LINE = `${'m'.repeat(98)}\n`
const LINES = 50 * (MEGABYTE / 100)
const ON_THE_WIRE = LINES * 100
/** Of the ten thousand that they asked for. */
const LIMIT = READERS * MEGABYTE
const ROOM = 500 * MEGABYTE
const TIMEOUT_MS = 120_000
const { bavail, bsize } = statfsSync(tmpdir())
const obstacle =
  (existsSync('/proc/self/status') ? null : 'no /proc') ??
  (bavail * bsize > ROOM ? null : `no room for ${ROOM / MEGABYTE} MB`)

const user = (n: number): string => `reader${n}`
let site: Site
afterEach(() => site.remove())

/** Everybody has the same message: one file with many names. */
async function mailboxes(): Promise<void> {
  const message = join(site.folder, 'message')
  await writeFile(message, LINE.repeat(LINES), { mode: 0o600 })
  const name = `1000.m.h,S=${LINE.length * LINES},W=${ON_THE_WIRE}`
  for (let n = 0; n < READERS; n++) {
    await writeFile(site.userFile(user(n)), '{PLAIN}secret\n', { mode: 0o600 })
    for (const folder of ['new', 'cur', 'tmp'])
      await mkdir(join(site.mail, user(n), folder), { recursive: true, mode: 0o700 })
    await link(message, join(site.mail, user(n), 'new', name))
  }
}

/** Asks for the message and stops reading at its first bytes. @returns the socket and what it has read */
async function stalled(port: number, n: number): Promise<{ socket: Socket; octets: number }> {
  const socket = connect({ port, host: '127.0.0.1' })
  let heard = ''
  const says = async (end: string): Promise<void> => {
    while (!heard.includes(end)) heard += String((await once(socket, 'data'))[0])
  }
  await says('\r\n')
  socket.write(`USER ${user(n)}@${DOMAIN}\r\nPASS secret\r\n`)
  await says('+OK 1 messages')
  heard = ''
  socket.write('RETR 1\r\n')
  await says(`+OK ${ON_THE_WIRE} octets\r\n`)
  socket.pause()
  return { socket, octets: heard.length }
}

/** Reads the rest of the answer to RETR. @returns its octets */
async function readOn({ socket, octets }: { socket: Socket; octets: number }): Promise<number> {
  let sum = octets
  let tail = ''
  socket.on('data', (chunk: Buffer) => {
    sum += chunk.length
    tail = (tail + chunk.subarray(-5).toString('latin1')).slice(-5)
    if (tail === '\r\n.\r\n') socket.destroy()
  })
  socket.resume()
  await once(socket, 'close')
  expect(tail).toBe('\r\n.\r\n')
  return sum
}

async function memory(server: RunningServer, what: 'VmRSS' | 'VmHWM'): Promise<number> {
  const text = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(new RegExp(`^${what}:\\s*(\\d+) kB$`, 'm').exec(text)![1]) * 1024
}

describe('200 clients that stall in a message of 50 MB (R2)', () => {
  testUnless(
    obstacle,
    'cost a megabyte each at most, keep nobody out, and get the rest when they go on',
    async () => {
      site = await Site.create()
      await mailboxes()
      const server = await site.start()
      await stillAnswers(server.ports)
      const idle = await memory(server, 'VmRSS')
      const readers: Awaited<ReturnType<typeof stalled>>[] = []
      for (let n = 0; n < READERS; n++) readers.push(await stalled(server.port('pop3'), n))
      await stillAnswers(server.ports)
      const [first, ...others] = readers
      const head = `+OK ${ON_THE_WIRE} octets\r\n`.length
      expect(await readOn(first!)).toBe(head + ON_THE_WIRE + '.\r\n'.length)
      const over = (await memory(server, 'VmHWM')) - idle
      for (const { socket } of others) socket.destroy()
      await stillAnswers(server.ports)
      console.log(`${READERS} stalled readers: ${(over / MEGABYTE).toFixed(0)} MB more at the peak`)
      expect(over).toBeLessThan(LIMIT)
    },
    TIMEOUT_MS,
  )
})
