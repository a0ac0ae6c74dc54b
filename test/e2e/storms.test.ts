/** Very many clients that want nothing, and clients that go as soon as they have come. */
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { deliver, stillAnswers } from '../helpers/mail-talk.js'
import { testUnless } from '../helpers/programs.js'
import { DOMAIN, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const MESSAGE = 'Subject: x\r\n\r\nx\r\n'
/** The limit of one listener, as the product has it; a small machine says what it can. */
const IDLE = Number(process.env['MAILTAP_TEST_IDLE'] ?? 10_000)
const AT_ONCE = 200
/** Octets of resident memory that a silent client may take, the kernel's share not counted. */
const PER_CLIENT = 20_000
const ROUNDS = 40
/** File descriptors that come and go by themselves, as those of a pool. */
const SLACK = 5

let site: Site
let server: RunningServer
beforeEach(async () => {
  site = await Site.create()
  await site.users('alice')
})
afterEach(() => site.remove())

const limits = await readFile('/proc/self/limits', 'utf8').catch(() => '')
const openFiles = Number(/^Max open files +(\d+)/m.exec(limits)?.[1] ?? 0)
const needed = IDLE + 1_000
const obstacle = openFiles < needed ? `fewer than ${needed} open files: ulimit -n` : null

async function memory(): Promise<number> {
  const text = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s*(\d+) kB$/m.exec(text)![1]) * 1_024
}

async function descriptors(): Promise<number> {
  return (await readdir(`/proc/${server.pid}/fd`)).length
}

async function greeted(port: number): Promise<[Socket, string]> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  const [first] = (await once(socket, 'data')) as [Buffer]
  return [socket, first.toString('latin1')]
}

testUnless(
  obstacle,
  `R1: ${IDLE} silent clients are borne, the next is told so, and when they are gone all is as before`,
  async () => {
    await site.configure(`[limits]\nconnections = ${IDLE}`)
    server = await site.start()
    await stillAnswers(server.ports)
    const [filesBefore, memoryBefore] = [await descriptors(), await memory()]
    const port = server.port('smtp')
    const all: Socket[] = []
    while (all.length < IDLE) {
      const some = Math.min(AT_ONCE, IDLE - all.length)
      const batch = await Promise.all(Array.from({ length: some }, () => greeted(port)))
      for (const [socket, first] of batch) {
        expect(first).toMatch(/^220 /)
        all.push(socket)
      }
    }
    const [late, said] = await greeted(port)
    expect(said).toMatch(/^421 4\.3\.2 /)
    late.destroy()
    const each = ((await memory()) - memoryBefore) / IDLE
    console.info(`R1: ${Math.round(each)} octets for each of ${IDLE} silent clients`)
    expect(each).toBeLessThan(PER_CLIENT)
    await expectMail()
    for (const socket of all) socket.destroy()
    await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThan(filesBefore + SLACK)
    expect(await deliver(port, ALICE, MESSAGE)).toMatch(/^250 /)
  },
  120_000,
)

/** The other listeners have room. */
async function expectMail(): Promise<void> {
  const talk = await Talk.to(server.port('pop3'))
  expect(await talk.line()).toMatch(/^\+OK /)
  talk.close()
}

test(
  'R5: clients that reset, before the greeting, in a command or in a body, leave no file open',
  { timeout: 60_000 },
  async () => {
    server = await site.start()
    const port = server.port('smtp')
    await stillAnswers(server.ports)
    const before = await descriptors()
    const words = [
      '',
      'EHLO x\r\nMAIL FROM:<>\r\n',
      `EHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<${ALICE}>\r\n`,
    ]
    for (let round = 0; round < ROUNDS; round++) {
      const sockets = Array.from({ length: AT_ONCE }, () => connect(port, '127.0.0.1'))
      await Promise.all(sockets.map((socket) => once(socket, 'connect')))
      for (const [at, socket] of sockets.entries()) {
        socket.on('error', () => {})
        const said = words[at % words.length]!
        if (said === '') socket.resetAndDestroy()
        else socket.write(said, () => socket.resetAndDestroy())
      }
    }
    await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThan(before + SLACK)
    await stillAnswers(server.ports)
  },
)

/** Sends a message and its FIN in one go, as soon as it may. @returns all that it heard */
async function hasty(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  let heard = ''
  socket.write('HELO client.example\r\n')
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString('latin1')
    if (/^250 localhost\r\n$/m.test(heard) && !heard.includes('2.1.0'))
      socket.write('MAIL FROM:<>\r\n')
    else if (heard.endsWith('Sender ok\r\n')) socket.write(`RCPT TO:<${ALICE}>\r\nDATA\r\n`)
    else if (/^354 .*\r\n$/m.test(heard)) socket.end(`${MESSAGE}.\r\n`)
  })
  await once(socket, 'end')
  return heard
}

test('R5: who hangs up right after the dot has a message that is there', async () => {
  server = await site.start()
  const port = server.port('smtp')
  const fifty = () => Promise.all(Array.from({ length: 50 }, () => hasty(port)))
  await fifty()
  // A server that has delivered keeps some files at hand.
  await stillAnswers(server.ports)
  const before = await descriptors()
  for (const said of await fifty()) expect(said).toMatch(/^250 2\.0\.0 Ok \w+\r\n$/m)
  expect(await readdir(join(site.mail, 'alice', 'new'))).toHaveLength(100)
  await expect.poll(descriptors, { timeout: 20_000 }).toBeLessThan(before + SLACK)
  await stillAnswers(server.ports)
})
