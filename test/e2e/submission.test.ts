/**
 * Mail programs that we did not write log in to a running server and send, with STARTTLS and
 * inside TLS; others bring mail by LMTP.
 */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fetchAll } from '../helpers/mail-talk.js'
import { type Ended, inHome, runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'

const ANY_PORT = '127.0.0.1:0'
const FROM = `alice@${DOMAIN}`
const MESSAGE = `From: ${FROM}\nTo: bob@${DOMAIN}\nBcc: eve@${DOMAIN}\nSubject: hello\n\nhello\n`

interface Job {
  readonly port: number
  readonly implicit: boolean
  readonly to: string
  readonly password: string
  readonly home: string
  /** The certificate to trust. */
  readonly trust: string
}

const PROGRAMS: Readonly<Record<string, (job: Job) => Promise<Ended>>> = {
  async swaks({ port, implicit, to, password, home, trust }) {
    const mail = join(home, 'mail')
    await writeFile(mail, MESSAGE.slice(0, -1))
    const tls = [implicit ? '--tlsc' : '--tls', '--tls-verify', '--tls-ca-path', trust]
    const login = ['--auth', 'PLAIN', '--auth-user', FROM, '--auth-password', password]
    const where = ['--server', 'localhost', '--port', String(port), '--hide-all']
    const envelope = ['--from', FROM, '--to', to, '--data', `@${mail}`]
    return runProgram('swaks', [...where, ...tls, ...login, ...envelope], { home })
  },
  async curl({ port, implicit, to, password, home, trust }) {
    const config = join(home, 'curlrc')
    await writeFile(config, `user = "${FROM}:${password}"\n`, { mode: 0o600 })
    const url = `${implicit ? 'smtps' : 'smtp'}://localhost:${port}/laptop`
    const login = ['--login-options', 'AUTH=LOGIN', '-K', config]
    const tls = ['--ssl-reqd', '--cacert', trust]
    const args = ['-sS', ...tls, ...login, '--mail-from', FROM, '--mail-rcpt', to, '-T', '-', url]
    return runProgram('curl', args, { home, input: MESSAGE.replaceAll('\n', '\r\n') })
  },
  async msmtp({ port, implicit, to, password, home, trust }) {
    const config = join(home, 'msmtprc')
    const starttls = implicit ? 'off' : 'on'
    const lines = ['account default', 'host localhost', `port ${port}`, `from ${FROM}`, 'auth on']
    const secret = [`user ${FROM}`, `password "${password}"`]
    const tls = ['tls on', `tls_starttls ${starttls}`, `tls_trust_file ${trust}`]
    await writeFile(config, [...lines, ...secret, ...tls, ''].join('\n'), { mode: 0o600 })
    return runProgram('msmtp', ['-C', config, '--', to], { home, input: MESSAGE })
  },
  async python3({ port, implicit, to, password, home, trust }) {
    const script = join(import.meta.dirname, 'smtplib-submit.py')
    const how = implicit ? 'implicit' : 'starttls'
    const input = `${password}\n${MESSAGE}`
    return runProgram('python3', [script, String(port), how, FROM, to, trust], { home, input })
  },
}

describe('mail from an own user', () => {
  let site: Site
  let server: RunningServer

  beforeAll(async () => {
    const listeners = ['--submission', ANY_PORT, '--submissions', ANY_PORT, '--lmtp', ANY_PORT]
    site = await Site.create({ create: ['-s', 'none', '-p', ANY_PORT, ...listeners] })
    server = await site.start()
    await site.users('alice')
  })
  afterAll(() => site.remove())

  const run = (name: string, job: Pick<Job, 'implicit' | 'to' | 'password'>): Promise<Ended> =>
    inHome(async (home) => {
      const port = server.port(job.implicit ? 'submissions' : 'submission')
      const trust = await site.trustedBy(join(home, 'ca.pem'))
      return PROGRAMS[name]!({ ...job, port, home, trust })
    })

  for (const name of Object.keys(PROGRAMS)) {
    for (const implicit of [false, true]) {
      const how = implicit ? 'inside TLS' : 'with STARTTLS'
      testWith([name], `${name} logs in ${how} and sends; the message is made whole`, async () => {
        const user = `${name}-${implicit ? 'tls' : 'starttls'}`
        const to = `${user}@${DOMAIN}`
        await site.users(user)
        const ended = await run(name, { implicit, to, password: PASSWORD })
        expect(ended, ended.stderr).toMatchObject({ code: 0 })
        const [message = ''] = (await fetchAll(server.port('pop3'), to, PASSWORD)).map(String)
        expect(message).toMatch(/ with ESMTPSA id /)
        expect(message).toMatch(/^Date: /m)
        expect(message).toMatch(/^Message-ID: </im)
        expect(message).not.toMatch(/^Bcc/im)
        expect(message).toMatch(/Subject: hello\r\n\r\nhello\r\n$/)
      })
    }

    testWith(
      [name],
      `${name} says so when the password is wrong, and nothing is sent`,
      async () => {
        const ended = await run(name, { implicit: true, to: FROM, password: 'wrong' })
        expect(ended.code).not.toBe(0)
        expect(await fetchAll(server.port('pop3'), FROM, PASSWORD)).toEqual([])
      },
    )
  }

  test('nodemailer logs in and sends', async () => {
    await site.users('nodemailer')
    const to = `nodemailer@${DOMAIN}`
    const auth = { user: FROM, pass: PASSWORD }
    const tls = { rejectUnauthorized: false }
    const port = server.port('submissions')
    const transport = createTransport({ host: '127.0.0.1', port, secure: true, auth, tls })
    await transport.sendMail({ from: FROM, to, subject: 'hello', text: 'hello' })
    transport.close()
    expect(await fetchAll(server.port('pop3'), to, PASSWORD)).toHaveLength(1)
  })

  testWith(['swaks'], 'swaks brings mail by LMTP', async () => {
    await site.users('lmtp')
    const to = `lmtp@${DOMAIN}`
    const where = ['--protocol', 'LMTP', '--server', `127.0.0.1:${server.port('lmtp')}`]
    const ended = await inHome((home) =>
      runProgram('swaks', [...where, '--hide-all', '--from', 'joe@far.example', '--to', to], {
        home,
      }),
    )
    expect(ended, ended.stderr).toMatchObject({ code: 0 })
    const [message] = await fetchAll(server.port('pop3'), to, PASSWORD)
    expect(String(message)).toMatch(/ with LMTP id /)
  })
})
