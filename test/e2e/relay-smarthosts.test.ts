/**
 * A running server hands the mail of its users to smarthosts that we did not write, with TLS that it
 * verifies and a login where they have that, and to a second server of ours.
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTransport } from 'nodemailer'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeSelfSigned } from '../../src/net/self-signed.js'
import { answers, freePort, startDaemon } from '../helpers/daemon.js'
import { dovecotObstacle, startDovecotAuth } from '../helpers/dovecot-auth.js'
import { eximObstacle, startEximServer } from '../helpers/exim.js'
import { fetchAll } from '../helpers/mail-talk.js'
import { MailSink } from '../helpers/mail-sink.js'
import { openSmtpdObstacle, startOpenSmtpd } from '../helpers/opensmtpd.js'
import { postfixObstacle, startPostfix } from '../helpers/postfix.js'
import { testUnless, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'

const ANY_PORT = '127.0.0.1:0'
const ALICE = `alice@${DOMAIN}`
const AWAY = 'away@far.example'
const LOGIN = { user: 'joe', password: 'geheim' }
const PATIENCE = { timeout: 30_000, interval: 100 }
/** Dots at the start of lines, 8-bit text, blank lines at the end. */
const BODY = '.\r\n..two\r\ngrüße\r\n\r\n\r\n'
const MAIL = `From: ${ALICE}\r\nSubject: away\r\nMessage-ID: <1@x>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n\r\n${BODY}`

let folder: string
/** What is stopped when a test is over, in this order. */
let running: (() => Promise<unknown>)[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mailtap-relay-'))
  // The other servers run as users of their own and have to come through here.
  await chmod(folder, 0o755)
  running = []
})
afterEach(async () => {
  for (const stop of running) await stop()
  await rm(folder, { recursive: true, force: true })
})

/** A server whose mail for others goes that way. @param more lines of `[relay]` */
async function serverTo(via: string, more = ''): Promise<{ site: Site; server: RunningServer }> {
  const site = await Site.create({
    create: ['-s', ANY_PORT, '-p', ANY_PORT, '--submission', ANY_PORT],
  })
  running.unshift(() => site.remove())
  await site.users('alice')
  await site.configure(`[relay]\nvia = ["${via}"]\n${more}`)
  return { site, server: await site.start() }
}

/** The lines that make it verify, and log in with what is in the file. */
async function verified(pem: string, password = LOGIN.password): Promise<string> {
  const ca = join(folder, 'ca.pem')
  await writeFile(ca, pem.slice(pem.indexOf('-----BEGIN CERTIFICATE-----')))
  const file = join(folder, 'password')
  await writeFile(file, `${password}\n`, { mode: 0o600 })
  return `tls = "verify"\nca = "${ca}"\npassword_file = "${file}"\n`
}

async function submit(server: RunningServer, raw = MAIL): Promise<void> {
  const transport = createTransport({
    host: '127.0.0.1',
    port: server.port('submission'),
    auth: { user: ALICE, pass: PASSWORD },
    tls: { rejectUnauthorized: false },
  })
  await transport.sendMail({ envelope: { from: ALICE, to: [AWAY] }, raw })
}

/** The spool of a site holds no message. */
async function isEmpty(site: Site): Promise<void> {
  const spool = join(site.folder, 'state', 'spool')
  const names = async () =>
    (await readdir(spool, { recursive: true })).filter((name) => /\.(?:env|msg)$/.test(name))
  await expect.poll(names, PATIENCE).toEqual([])
}

/** What comes after the header fields that servers on the way put in front. */
const sent = (text: string): string => text.slice(text.indexOf(`From: ${ALICE}`))

/** A server behind the smarthost. @returns what it took */
async function behind(): Promise<{ port: number; taken: string[] }> {
  const taken: string[] = []
  const sink = await MailSink.start((text) => {
    taken.push(Buffer.from(text, 'latin1').toString().replace(/^\.\./gm, '.'))
    return '250 2.0.0 taken'
  })
  running.push(() => sink.stop())
  return { port: sink.port, taken }
}

describe('Postfix as smarthost', () => {
  testUnless(
    postfixObstacle() ?? dovecotObstacle(),
    'takes mail over TLS that is verified, after a login, and hands it on unchanged',
    async () => {
      const { port, taken } = await behind()
      const home = join(folder, 'dovecot')
      await mkdir(home)
      const auth = await startDovecotAuth(home, LOGIN)
      running.unshift(() => auth.stop())
      const pem = await makeSelfSigned('127.0.0.1')
      const chain = join(folder, 'tls.pem')
      await writeFile(chain, pem, { mode: 0o600 })
      const settings = `smtpd_tls_chain_files = ${chain}
smtpd_tls_security_level = may
smtpd_tls_auth_only = yes
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = ${auth.socket}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtp_tls_security_level = none
`
      const postfix = await startPostfix(
        { 'far.example': `smtp:[127.0.0.1]:${port}` },
        '',
        settings,
      )
      running.unshift(() => postfix.stop())
      const way = `smtp://joe@127.0.0.1:${postfix.port}`
      const { site, server } = await serverTo(way, await verified(pem))
      await submit(server)
      await expect.poll(() => taken, PATIENCE).toHaveLength(1)
      expect(taken[0]).toMatch(/by relay\.example \(Postfix\) with ESMTPSA/)
      expect(sent(taken[0]!)).toBe(MAIL)
      await isEmpty(site)
    },
  )
})

describe('Exim as smarthost', () => {
  testUnless(
    eximObstacle(),
    'takes mail over TLS that is verified, once the password is right',
    async () => {
      const home = join(folder, 'exim')
      await mkdir(home)
      const pem = await makeSelfSigned('127.0.0.1')
      const exim = await startEximServer(home, pem, LOGIN)
      running.unshift(() => exim.stop())
      const way = `smtp://joe@127.0.0.1:${exim.port}`
      const soon = '[queue]\nretry_first = "1s"\nretry_max = "1s"\n'
      const lines = `${await verified(pem, 'wrong')}${soon}`
      const { site, server } = await serverTo(way, lines)
      await submit(server)
      // A wrong password costs no mail: it waits until somebody sets it right.
      await server.says(/relay login failed/)
      await writeFile(join(folder, 'password'), `${LOGIN.password}\n`)
      const mailbox = () => readFile(exim.mailbox, 'utf8').catch(() => '')
      await expect.poll(mailbox, PATIENCE).toMatch(/with esmtpsa/)
      expect(await mailbox()).toContain(MAIL.replaceAll('\r\n', '\n'))
      await isEmpty(site)
    },
  )
})

describe('OpenSMTPD as smarthost', () => {
  testUnless(openSmtpdObstacle(), 'takes mail and hands it on unchanged', async () => {
    const { port, taken } = await behind()
    const openSmtpd = await startOpenSmtpd(folder, port)
    running.unshift(() => openSmtpd.stop())
    const { site, server } = await serverTo(`smtp://127.0.0.1:${openSmtpd.port}`)
    await submit(server)
    await expect.poll(() => taken, PATIENCE).toHaveLength(1)
    expect(taken[0]).toMatch(/by open\.example \(OpenSMTPD\)/)
    expect(sent(taken[0]!)).toBe(MAIL)
    await isEmpty(site)
  })
})

describe("Postfix's smtp-sink", () => {
  const ways: readonly (readonly [string, readonly string[]])[] = [
    ['as it is', []],
    ['that offers no pipelining and no 8BITMIME', ['-p', '-8']],
    ['that knows HELO only', ['-e']],
  ]
  for (const [name, options] of ways) {
    testWith(['smtp-sink'], `${name} gets fifty mails, each once and whole`, async () => {
      const port = await freePort()
      const kept = join(folder, 'kept')
      await mkdir(kept)
      await chmod(kept, 0o777)
      const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
      const dump = ['-d', join(kept, 'mail.')]
      const args = [...user, ...options, ...dump, `inet:127.0.0.1:${port}`, '100']
      const sink = await startDaemon('smtp-sink', args, () => answers(port), 'SIGKILL')
      running.unshift(() => sink.stop())
      const { site, server } = await serverTo(`smtp://127.0.0.1:${port}`, 'tls = "never"')
      const plain = MAIL.replace('ü', 'u').replace('ß', 'ss')
      const all = Array.from({ length: 50 }, (_, n) => plain.replace('away', `away ${n}`))
      for (const mail of all) await submit(server, mail)
      await isEmpty(site)
      const names = await readdir(kept)
      const texts = await Promise.all(names.map((each) => readFile(join(kept, each), 'utf8')))
      const subjects = texts.flatMap((text) => /^Subject: (.*)$/m.exec(text)?.[1] ?? [])
      expect(subjects.toSorted()).toEqual(all.map((_, n) => `away ${n}`).toSorted())
      for (const text of texts) expect(text).toContain('\n.\n..two\n')
    })
  }
})

describe('a second server of ours as smarthost', () => {
  test('takes mail over TLS that is verified, after a login by the best mechanism', async () => {
    const far = join(folder, 'far')
    const second = await Site.create({
      create: [
        ...['-s', ANY_PORT, '-p', ANY_PORT, '--submission', ANY_PORT],
        ...['-d', `far.example=${far}`, '-u', 'away', '--generate'],
      ],
    })
    running.unshift(() => second.remove())
    await second.users('alice')
    await writeFile(join(far, '.users', 'away'), await readFile(second.userFile('alice')), {
      mode: 0o600,
    })
    const smarthost = await second.start()
    const trust = await readFile(await second.trustedBy(join(folder, 'trust.pem')), 'utf8')
    const way = `smtp://alice%40${DOMAIN}@localhost:${smarthost.port('submission')}`
    const { site, server } = await serverTo(way, await verified(trust, PASSWORD))
    await submit(server)
    const arrived = () => fetchAll(smarthost.port('pop3'), AWAY, PASSWORD)
    await expect.poll(arrived, PATIENCE).toHaveLength(1)
    const text = String((await arrived())[0])
    expect(text).toMatch(/with ESMTPSA/)
    expect(sent(text)).toBe(MAIL)
    await isEmpty(site)
  })
})
