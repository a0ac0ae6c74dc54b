/**
 * Mail programs that we did not write send to a running server, in clear and with STARTTLS that
 * they verify.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect } from 'vitest'
import { belowTrace, fetchAll, SENDER } from '../helpers/mail-talk.js'
import { type Ended, inHome, runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'

/** Dots, 8-bit text, a line that looks like an mbox separator, blank lines at both ends. */
const LINES = [
  `From: Bob <${SENDER}>`,
  `To: alice@${DOMAIN}`,
  'Subject: =?utf-8?Q?gr=C3=BC=C3=9Fe?=',
  'Date: Fri, 20 Nov 2026 10:00:00 +0000',
  'Message-ID: <one@elsewhere.example>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  '',
  '.',
  '..two',
  '.three dots follow...',
  'From here on: grüße, 漢字 and ✉',
  'x'.repeat(990),
  '',
]
const LF_MESSAGE = `${LINES.join('\n')}\n`
const CRLF_MESSAGE = `${LINES.join('\r\n')}\r\n`

interface Job {
  readonly port: number
  readonly to: string
  readonly home: string
  /** The certificate to trust; `null` = in clear. */
  readonly trust: string | null
}

const SENDERS: Readonly<Record<string, (job: Job) => Promise<Ended>>> = {
  async swaks({ port, to, home, trust }) {
    const mail = join(home, 'mail')
    // swaks ends the last line itself.
    await writeFile(mail, LF_MESSAGE.slice(0, -1))
    const tls = trust === null ? [] : ['--tls', '--tls-verify', '--tls-ca-path', trust]
    const envelope = ['--from', SENDER, '--to', to, '--ehlo', 'client.example']
    const where = ['--server', 'localhost', '--port', String(port), '--hide-all']
    return runProgram('swaks', [...where, ...envelope, ...tls, '--data', `@${mail}`], { home })
  },
  async curl({ port, to, home, trust }) {
    const tls = trust === null ? [] : ['--ssl-reqd', '--cacert', trust]
    const envelope = ['--mail-from', SENDER, '--mail-rcpt', to]
    const args = ['-sS', ...tls, ...envelope, '-T', '-', `smtp://localhost:${port}/client.example`]
    return runProgram('curl', args, { home, input: CRLF_MESSAGE })
  },
  async msmtp({ port, to, home, trust }) {
    const tls = trust === null ? ['--tls=off'] : ['--tls=on', `--tls-trust-file=${trust}`]
    const where = ['--host=localhost', `--port=${port}`, '--auth=off', '--domain=client.example']
    const args = [...where, ...tls, '--tls-starttls=on', `--from=${SENDER}`, '--', to]
    return runProgram('msmtp', args, { home, input: LF_MESSAGE })
  },
  async python3({ port, to, home, trust }) {
    const script = join(import.meta.dirname, 'smtplib-send.py')
    const args = [script, String(port), to, ...(trust === null ? [] : [trust])]
    return runProgram('python3', args, { home, input: CRLF_MESSAGE })
  },
}

describe('mail sent by', () => {
  let site: Site
  let server: RunningServer

  beforeAll(async () => {
    site = await Site.create()
    server = await site.start()
  })
  afterAll(() => site.remove())

  for (const [program, send] of Object.entries(SENDERS)) {
    for (const tls of [false, true]) {
      const how = tls ? 'with STARTTLS' : 'in clear'
      testWith([program], `${program} ${how} arrives as it is`, async () => {
        const user = `${program}-${tls ? 'tls' : 'clear'}`
        await site.users(user)
        const to = `${user}@${DOMAIN}`
        const ended = await inHome(async (home) => {
          const trust = tls ? await site.trustedBy(join(home, 'ca.pem')) : null
          return send({ port: server.port('smtp'), to, home, trust })
        })
        expect(ended, ended.stderr).toMatchObject({ code: 0 })
        const messages = await fetchAll(server.port('pop3'), to, PASSWORD)
        expect(messages).toHaveLength(1)
        expect(belowTrace(messages[0]!).toString()).toBe(CRLF_MESSAGE)
        expect(messages[0]!.toString()).toMatch(tls ? / with ESMTPS id / : / with ESMTP id /)
      })
    }

    testWith([program], `${program} says so when the recipient is unknown`, async () => {
      const to = `nobody@${DOMAIN}`
      const job = { port: server.port('smtp'), to, trust: null }
      const ended = await inHome((home) => send({ ...job, home }))
      expect(ended.code).not.toBe(0)
    })
  }
})
