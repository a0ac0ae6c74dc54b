/**
 * A server of several processes: clients notice nothing of it, neither when one of the workers is
 * killed nor when it hangs.
 */
import { randomUUID } from 'node:crypto'
import { appendFile, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { MailSink } from '../helpers/mail-sink.js'
import {
  beginData,
  belowTrace,
  deliver,
  expectCode,
  fetchAll,
  logIn,
  SENDER,
  stillAnswers,
  untilData,
} from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ANY = '127.0.0.1:0'
const ALICE = `alice@${DOMAIN}`
const BODY = 'Subject: one\r\n\r\nfirst half\r\nsecond half\r\n'
const WORKERS = 2
const SENDERS = 8
/** Acknowledged messages after which a worker is killed, and then so many more. */
const SOME = 25
const PATIENCE = { timeout: 20_000, interval: 50 }
/** It takes ten seconds until nothing is hoped for any more. */
const HANGS = { timeout: 60_000 }
/** Octets that do not travel with the question. */
const LARGE = 400_000

let site: Site
let sink: MailSink | null = null
afterEach(async () => {
  await site.remove()
  await sink?.stop()
  sink = null
})

async function started(settings = '', smtp = ANY): Promise<RunningServer> {
  site = await Site.create({ create: ['-s', smtp, '-p', ANY] })
  await site.users('alice', 'bob')
  await site.configure(`[run]\nworkers = ${WORKERS}\n${settings}`)
  return site.start()
}

/** The process ids of the workers. */
async function workersOf({ pid }: RunningServer): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1')
  return children.split(' ').filter(Boolean).map(Number)
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Sends until it is told that there is enough; begins anew when its worker dies. */
async function keepSending(port: number, acked: Map<string, string>, enough: () => boolean) {
  while (!enough()) {
    try {
      const talk = await Talk.to(port)
      await expectCode(talk.reply(), 220)
      await expectCode(talk.ask('EHLO client.example'), 250)
      while (!enough()) {
        const id = randomUUID()
        const message = `Message-ID: <${id}@client.example>\r\n\r\n${id}\r\n`
        await beginData(talk, ALICE)
        talk.send(`${message}.\r\n`)
        await expectCode(talk.reply(), 250)
        acked.set(id, message)
      }
      talk.close()
    } catch {
      // Its worker was killed; what was not acknowledged may be there or not.
    }
  }
}

test('a message comes in and is fetched, whichever worker is met', async () => {
  const server = await started()
  expect(await workersOf(server)).toHaveLength(WORKERS)
  for (let n = 0; n < 6; n++) {
    expect(await deliver(server.port('smtp'), ALICE, BODY)).toMatch(/^250 /)
  }
  const messages = await fetchAll(server.port('pop3'), ALICE, PASSWORD)
  expect(messages.map((message) => belowTrace(message).toString())).toEqual(Array(6).fill(BODY))
  expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
})

test('a worker that is killed loses nothing that was acknowledged, and is replaced', async () => {
  const server = await started()
  const acked = new Map<string, string>()
  const [victim = 0] = await workersOf(server)
  const enough = (): boolean => acked.size >= 3 * SOME
  const senders = Array.from({ length: SENDERS }, () =>
    keepSending(server.port('smtp'), acked, enough),
  )
  await expect.poll(() => acked.size, PATIENCE).toBeGreaterThan(SOME)
  process.kill(victim, 'SIGKILL')
  await Promise.all(senders)
  await server.says(/worker ended .*signal=SIGKILL/)
  await server.says(/worker started/)
  expect(await workersOf(server)).toHaveLength(WORKERS)
  expect(await workersOf(server)).not.toContain(victim)

  const messages = await fetchAll(server.port('pop3'), ALICE, PASSWORD)
  const arrived = new Set(messages.map((message) => belowTrace(message).toString()))
  for (const [id, message] of acked) expect(arrived.has(message), id).toBe(true)
})

test('mailboxes that dead workers had open are free, and clients waited only for new workers', async () => {
  const server = await started()
  const port = server.port('pop3')
  const holder = await Talk.to(port)
  expect(await logIn(holder, ALICE, PASSWORD)).toMatch(/^\+OK/)
  const second = await Talk.to(port)
  expect(await logIn(second, ALICE, PASSWORD)).toMatch(/^-ERR \[IN-USE\]/)
  for (const pid of await workersOf(server)) process.kill(pid, 'SIGKILL')
  await expect.poll(async () => isAlive((await workersOf(server))[0] ?? 0), PATIENCE).toBe(true)
  const third = await Talk.to(port)
  expect(await logIn(third, ALICE, PASSWORD)).toMatch(/^\+OK/)
})

test(
  'a worker that hangs is ended and replaced, and the other one serves meanwhile',
  HANGS,
  async () => {
    const server = await started()
    const [stuck = 0] = await workersOf(server)
    process.kill(stuck, 'SIGSTOP')
    await stillAnswers(server.ports)
    await server.says(new RegExp(`worker does not answer pid=${stuck}`))
    await server.says(/worker started/)
    expect(await workersOf(server)).not.toContain(stuck)
    await stillAnswers(server.ports)
  },
)

test('connections from one address are counted over all workers, and no more once they died', async () => {
  const limits = '[limits]\nconnections_per_address = 4\nconnection_rate_per_address = 0\n'
  const server = await started(limits, `${ANY}?proxy=127.0.0.1`)
  const greeting = async (): Promise<string> => {
    const talk = await Talk.to(server.port('smtp'))
    talk.send('PROXY TCP4 192.0.2.7 198.51.100.1 4711 25\r\n')
    return (await talk.reply()).slice(0, 3)
  }
  /** Whoever sleeps takes no client, so each worker gets its share. */
  const served = async (asleep: number): Promise<string[]> => {
    process.kill(asleep, 'SIGSTOP')
    const replies = [await greeting(), await greeting()]
    process.kill(asleep, 'SIGCONT')
    return replies
  }
  const [one = 0, other = 0] = await workersOf(server)
  expect([...(await served(one)), ...(await served(other))]).toEqual(['220', '220', '220', '220'])
  expect(await greeting()).toBe('421')

  process.kill(one, 'SIGKILL')
  await server.says(/worker started/)
  expect([await greeting(), await greeting()]).toEqual(['220', '220'])
  expect(await greeting()).toBe('421')
})

test('SIGHUP reaches every worker, and those that come later', async () => {
  const server = await started()
  const open = await Talk.to(server.port('smtp'))
  await open.reply()
  await site.configure(`[domains."club.example"]\nalias_of = "${DOMAIN}"`)
  server.signal('SIGHUP')
  await server.says(/config reloaded/)
  const [one = 0, other = 0] = await workersOf(server)
  const rcpt = async (asleep: number): Promise<string> => {
    process.kill(asleep, 'SIGSTOP')
    const talk = await Talk.to(server.port('smtp'))
    await expectCode(talk.reply(), 220)
    await expectCode(talk.ask('EHLO client.example'), 250)
    await expectCode(talk.ask(`MAIL FROM:<${SENDER}>`), 250)
    const reply = await talk.ask('RCPT TO:<alice@club.example>')
    talk.close()
    process.kill(asleep, 'SIGCONT')
    return reply
  }
  expect(await rcpt(one)).toMatch(/^250 /)
  expect(await rcpt(other)).toMatch(/^250 /)
  expect(await open.ask('NOOP')).toMatch(/^250 /)
  process.kill(one, 'SIGKILL')
  await server.says(/worker started/)
  expect(await rcpt(other)).toMatch(/^250 /)
})

test('SIGTERM to all processes lets a message that is on its way come in', async () => {
  const server = await started()
  const idle = await Talk.to(server.port('smtp'))
  await idle.reply()
  const sending = await untilData(server.port('smtp'), ALICE)
  await sending.sendAll(Buffer.from(BODY.slice(0, 30)))
  // As systemd does it.
  for (const pid of await workersOf(server)) process.kill(pid, 'SIGTERM')
  server.signal('SIGTERM')
  await server.says(/server stopping/)
  expect(await idle.rest()).toMatch(/^421 4\.3\.2 /)
  await sending.sendAll(Buffer.from(`${BODY.slice(30)}.\r\n`))
  expect(await sending.reply()).toMatch(/^250 /)
  expect(await server.ended()).toEqual({ code: 0, signal: null })
  const again = await site.start()
  expect(await fetchAll(again.port('pop3'), ALICE, PASSWORD)).toHaveLength(1)
})

test('no worker outlives its primary', async () => {
  const server = await started()
  const workers = await workersOf(server)
  expect(await server.kill('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
  await expect.poll(() => workers.filter(isAlive), PATIENCE).toEqual([])
  const again = await site.start()
  await stillAnswers(again.ports)
})

test('mail for elsewhere leaves through the spool of the primary, small and large', async () => {
  const texts: string[] = []
  sink = await MailSink.start((text) => {
    texts.push(text)
    return '250 2.0.0 ok'
  })
  const server = await started(`[relay]\nvia = ["smtp://127.0.0.1:${sink.port}"]\ntls = "never"`)
  await appendFile(join(site.mail, '.aliases'), 'away: carol@elsewhere.example\n')
  const large = `Subject: large\r\n\r\n${`${'x'.repeat(78)}\r\n`.repeat(LARGE / 80)}`
  server.signal('SIGHUP')
  await server.says(/config reloaded/)
  for (const message of [BODY, large]) {
    expect(await deliver(server.port('smtp'), `away@${DOMAIN}`, message)).toMatch(/^250 /)
  }
  await expect.poll(() => texts.length, PATIENCE).toBe(2)
  const [small = '', big = ''] = texts.toSorted((one, other) => one.length - other.length)
  expect(small.endsWith(BODY)).toBe(true)
  expect(big.endsWith(large)).toBe(true)
})
