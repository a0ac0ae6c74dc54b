/**
 * Mail servers that we did not write hand over mail to a running server: with STARTTLS that they
 * verify, and by LMTP; and a crowd of clients of Postfix's smtp-source.
 */
import { chmod, mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { eximObstacle, handOverByExim } from '../helpers/exim.js'
import { deliver, fetchAll, SENDER, stillAnswers } from '../helpers/mail-talk.js'
import { type Postfix, postfixObstacle, startPostfix } from '../helpers/postfix.js'
import { inHome, runProgram, testUnless, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'

const ANY_PORT = '127.0.0.1:0'
const PATIENCE = { timeout: 20_000, interval: 200 }
/** Dots at the start of lines, 8-bit text, long lines, blank lines at the end. */
const LINES = [
  `From: <${SENDER}>`,
  'Date: Fri, 20 Nov 2026 10:00:00 +0000',
  'Message-ID: <relayed@elsewhere.example>',
  'Subject: relayed',
  '',
  '.',
  '..two',
  'grüße',
  'x'.repeat(900),
  '',
  '',
]
const MESSAGE = LINES.map((line) => `${line}\r\n`).join('')

let site: Site
let server: RunningServer
let trust: string
let sockets: string
let socket: string
beforeAll(async () => {
  sockets = await mkdtemp(join(tmpdir(), 'mailtap-socket-'))
  socket = join(sockets, 'lmtp')
  const lmtp = ['--lmtp', ANY_PORT, '--lmtp', `unix:${socket}?mode=666`]
  site = await Site.create({ create: ['-s', ANY_PORT, '-p', ANY_PORT, ...lmtp] })
  server = await site.start()
  // The other servers run as users of their own and have to come through here.
  await chmod(sockets, 0o755)
  trust = await site.trustedBy(join(sockets, 'trust.pem'))
})
afterAll(async () => {
  await site.remove()
  await rm(sockets, { recursive: true })
})

/** The one mail of a user, once it is there. */
async function arrived(user: string): Promise<string> {
  const fetch = () => fetchAll(server.port('pop3'), user, PASSWORD)
  await expect.poll(fetch, PATIENCE).toHaveLength(1)
  return String((await fetch())[0])
}

describe('Postfix as a relay', () => {
  const obstacle = postfixObstacle()
  const users = ['smtp', 'distrusted', 'lmtp-unix', 'lmtp-tcp']
  let postfix: Postfix
  beforeAll(async () => {
    if (obstacle !== null) return
    await site.users(...users)
    const ways = [
      `smtp:[localhost]:${server.port('smtp')}`,
      // That is not the name in the certificate.
      `smtp:[127.0.0.1]:${server.port('smtp')}`,
      `lmtp:unix:${socket}`,
      `lmtp:inet:[127.0.0.1]:${server.port('lmtp')}`,
    ]
    const table = ways.map((way, index) => [`${users[index]}@${DOMAIN}`, way])
    postfix = await startPostfix(Object.fromEntries(table), trust)
  })
  afterAll(() => postfix?.stop())

  const handOver = async (user: string): Promise<void> => {
    expect(await deliver(postfix.port, `${user}@${DOMAIN}`, MESSAGE)).toMatch(/^250 /)
  }

  for (const [user, protocol] of [
    ['smtp', 'ESMTPS'],
    ['lmtp-unix', 'LMTP'],
    ['lmtp-tcp', 'LMTP'],
  ] as const) {
    const how = user === 'smtp' ? 'by SMTP with STARTTLS that it verified' : `by ${user}`
    testUnless(obstacle, `hands over a mail ${how}`, async () => {
      await handOver(user)
      const mail = await arrived(user)
      expect(mail).toContain('Received: from relay.example (')
      expect(mail).toContain(` with ${protocol} id `)
      expect(Buffer.from(mail.slice(-MESSAGE.length)).toString()).toBe(MESSAGE)
      expect(await postfix.log()).toMatch(
        new RegExp(`to=<${user}@.* dsn=2\\.\\d\\.\\d, status=sent`),
      )
    })
  }

  testUnless(
    obstacle,
    'verifies the certificate: by another name it hands over nothing',
    async () => {
      await handOver('distrusted')
      const log = () => postfix.log()
      await expect.poll(log, PATIENCE).toMatch(/to=<distrusted@.* status=deferred .*not verified/)
      expect(await fetchAll(server.port('pop3'), 'distrusted', PASSWORD)).toEqual([])
    },
  )

  testUnless(obstacle, 'hears of an unknown user at once, and once', async () => {
    const way = { [`ghost@${DOMAIN}`]: `lmtp:unix:${socket}` }
    const another = await startPostfix(way, trust)
    try {
      expect(await deliver(another.port, `ghost@${DOMAIN}`, MESSAGE)).toMatch(/^250 /)
      await expect
        .poll(() => another.log(), PATIENCE)
        .toMatch(/to=<ghost@.* dsn=5\.1\.1, status=bounced .*550 5\.1\.1 /)
    } finally {
      await another.stop()
    }
  })
})

describe('Exim', () => {
  testUnless(eximObstacle(), 'hands over a mail with STARTTLS that it verified', async () => {
    await site.users('exim')
    const to = `exim@${DOMAIN}`
    const job = { from: SENDER, to, port: server.port('smtp'), trust }
    const message = MESSAGE.replaceAll('\r\n', '\n')
    const ended = await inHome((home) => handOverByExim(home, { ...job, message }))
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
    const mail = await arrived('exim')
    expect(mail).toMatch(/^Received: from exim\.example \(/m)
    expect(mail).toMatch(/ with ESMTPS id /)
    expect(mail.slice(mail.indexOf('\r\n\r\n'))).toBe(MESSAGE.slice(MESSAGE.indexOf('\r\n\r\n')))
  })
})

describe("Postfix's smtp-source", () => {
  const crowds: readonly (readonly [string, string, number, readonly string[]])[] = [
    ['twenty connections at once', 'smtp', 500, ['-s', '20']],
    ['a hundred connections at once', 'smtp', 500, ['-s', '100']],
    ['twenty connections that stay', 'smtp', 500, ['-s', '20', '-d']],
    ['twenty connections of LMTP', 'lmtp', 200, ['-L', '-s', '20']],
  ]
  for (const [index, [name, protocol, count, how]] of crowds.entries()) {
    testWith(['smtp-source'], `is served over ${name}, each message once and whole`, async () => {
      const user = `crowd${index}`
      await site.users(user)
      const envelope = ['-f', SENDER, '-t', `${user}@${DOMAIN}`]
      const what = ['-m', String(count), '-l', '5000']
      const where = `inet:127.0.0.1:${server.port(protocol as 'smtp' | 'lmtp')}`
      const { code, stderr } = await runProgram('smtp-source', [
        ...how,
        ...what,
        ...envelope,
        where,
      ])
      expect(code, stderr).toBe(0)
      expect(stderr).toBe('')
      const folder = join(site.mail, user)
      const names = await readdir(join(folder, 'new'))
      expect(names).toHaveLength(count)
      for (const mail of names) {
        const { size } = await stat(join(folder, 'new', mail))
        expect(size).toBeGreaterThan(4_900)
        expect(mail).toContain(`,S=${size}`)
      }
      expect(await readdir(join(folder, 'tmp'))).toEqual([])
      await stillAnswers(server.ports)
    })
  }
})
