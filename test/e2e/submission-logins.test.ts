/**
 * Logins for sending that show no password, by programs that we did not write; what Thunderbird
 * says; and many wrong ones at once. No password is in any log.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectCode, fetchAll, stillAnswers } from '../helpers/mail-talk.js'
import { type Ended, inHome, runProgram, testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ANY_PORT = '127.0.0.1:0'
const FROM = `alice@${DOMAIN}`
const MESSAGE = `From: ${FROM}\nSubject: hello\n\nhello\n`
/** Checks of passwords that run at once, and those that wait, as the product has it. */
const RUNNING = 2
const WAITING = 200
/** Some more than fit: a few checks are over before the last one comes. */
const GUESSERS = 240
const PATIENCE = { timeout: 20_000 }
/** What two checks of argon2 and 240 connections with TLS may take. */
const MAX_GROWTH = 120_000_000

let site: Site
let server: RunningServer
beforeAll(async () => {
  const listeners = ['-s', ANY_PORT, '-p', ANY_PORT]
  const own = ['--submission', ANY_PORT, '--submissions', ANY_PORT]
  site = await Site.create({ create: [...listeners, ...own] })
  // Challenges are offered while every account can answer them.
  for (const name of ['postmaster', 'alice', 'reader', ...CASES.map((_, index) => `to${index}`)])
    await writeFile(site.userFile(name), `{PLAIN}${PASSWORD}\n`, { mode: 0o600 })
  server = await site.start()
})
afterAll(() => site.remove())
afterEach(() => stillAnswers(server.ports))

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const plain = (password: string, user = FROM): string => base64(`\0${user}\0${password}`)

/** Nothing that could be used to log in stands in the log. */
function expectNoSecrets(...more: string[]): void {
  for (const secret of [PASSWORD, base64(PASSWORD), plain(PASSWORD), ...more])
    expect(server.output).not.toContain(secret)
}

type Send = (home: string, to: string) => Promise<Ended>

const msmtp =
  (mechanism: string): Send =>
  async (home, to) => {
    const config = join(home, 'msmtprc')
    const trust = await site.trustedBy(join(home, 'ca.pem'))
    const where = ['account default', 'host localhost', `port ${server.port('submission')}`]
    const who = [`from ${FROM}`, `auth ${mechanism}`, `user ${FROM}`, `password "${PASSWORD}"`]
    const tls = ['tls on', 'tls_starttls on', `tls_trust_file ${trust}`]
    await writeFile(config, [...where, ...who, ...tls, ''].join('\n'), { mode: 0o600 })
    return runProgram('msmtp', ['-d', '-C', config, '--', to], { home, input: MESSAGE })
  }

const curl =
  (mechanism: string): Send =>
  async (home, to) => {
    const config = join(home, 'curlrc')
    const trust = await site.trustedBy(join(home, 'ca.pem'))
    await writeFile(config, `user = "${FROM}:${PASSWORD}"\n`, { mode: 0o600 })
    const login = ['-v', '-sS', '--login-options', `AUTH=${mechanism}`, '-K', config]
    const what = ['--cacert', trust, '--mail-from', FROM, '--mail-rcpt', to, '-T', '-']
    const url = `smtps://localhost:${server.port('submissions')}/laptop`
    const input = MESSAGE.replaceAll('\n', '\r\n')
    return runProgram('curl', [...login, ...what, url], { home, input })
  }

const CASES: readonly (readonly [string, string, Send])[] = [
  ['msmtp', 'SCRAM-SHA-256', msmtp('scram-sha-256')],
  ['msmtp', 'CRAM-MD5', msmtp('cram-md5')],
  ['curl', 'CRAM-MD5', curl('CRAM-MD5')],
]

describe('to an account with a password in clear', () => {
  for (const [index, [program, mechanism, send]] of CASES.entries()) {
    testWith([program], `${program} logs in by ${mechanism} and sends`, async () => {
      const user = `to${index}`
      const ended = await inHome((home) => send(home, `${user}@${DOMAIN}`))
      const said = ended.stderr + String(ended.stdout)
      expect(ended, said).toMatchObject({ code: 0 })
      expect(said).toContain(`AUTH ${mechanism}`)
      const [mail = ''] = (await fetchAll(server.port('pop3'), user, PASSWORD)).map(String)
      expect(mail).toMatch(/ with ESMTPSA id /)
      expect(server.output).toMatch(new RegExp(`smtp login .*method=${mechanism}`))
      expectNoSecrets()
    })
  }
})

describe('a mail program like Thunderbird', () => {
  test('names an address, says PLAIN in two steps, then all of a mail at once', async () => {
    const talk = await Talk.to(server.port('submission'))
    await expectCode(talk.reply(), 220)
    expect(await talk.ask('EHLO [192.168.1.7]')).toMatch(/^250[ -]STARTTLS$/m)
    await expectCode(talk.ask('STARTTLS'), 220)
    await talk.secure()
    const offered = await talk.ask('EHLO [192.168.1.7]')
    expect(offered).toMatch(/^250[ -]AUTH .*\bPLAIN\b/m)
    expect(offered).toMatch(/^250[ -]PIPELINING$/m)
    expect(await talk.ask('AUTH PLAIN')).toBe('334 ')
    await expectCode(talk.ask(plain(PASSWORD)), 235)
    talk.send(
      `MAIL FROM:<${FROM}> BODY=8BITMIME SIZE=200\r\nRCPT TO:<reader@${DOMAIN}>\r\nDATA\r\n`,
    )
    for (const code of [250, 250, 354]) await expectCode(talk.reply(), code)
    talk.send(`${MESSAGE.replaceAll('\n', '\r\n')}.\r\n`)
    await expectCode(talk.reply(), 250)
    await expectCode(talk.ask('QUIT'), 221)
    const [mail = ''] = (await fetchAll(server.port('pop3'), 'reader', PASSWORD)).map(String)
    expect(mail).toContain('Received: from [192.168.1.7] (')
    expectNoSecrets()
  })
})

describe('what a client writes', () => {
  test('is one line of the log each, nothing in it can be unseen, and no secret is (A7, W3)', async () => {
    const talk = await Talk.securely(server.port('submissions'))
    await expectCode(talk.reply(), 220)
    await expectCode(talk.ask('EHLO laptop'), 250)
    const wrong = 'not the password of anybody'
    const guess = plain(wrong, `x\u200f" level=error ${'y'.repeat(400)}`)
    await expectCode(talk.ask(`AUTH PLAIN ${guess}`), 501)
    const second = plain(wrong, `x" level=error ${'y'.repeat(400)}`)
    await expectCode(talk.ask(`AUTH PLAIN ${second}`), 535)
    const forged = plain(`${wrong}\n2026-01-01 info smtp login`)
    await expectCode(talk.ask(`AUTH PLAIN ${forged}`), 501)
    await expectCode(talk.ask('MAIL FROM:<a\u00c2\u00aeb@far.example>'), 530)
    talk.close()
    await server.says(/smtp login failed/)
    const { output } = server
    // oxlint-disable-next-line no-control-regex -- control characters are what it is for
    expect(output).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/)
    for (const line of output.trimEnd().split('\n')) expect(line.length).toBeLessThan(4_000)
    expect(output).not.toMatch(/^\S+ \S+ level=error/m)
    expectNoSecrets(wrong, base64(wrong), guess, second, forged)
  })
})

describe('many who guess at once', () => {
  test('wait for their turn, or hear "later"; memory stays (R7)', { timeout: 60_000 }, async () => {
    const talks = await Promise.all(Array.from({ length: GUESSERS }, guesser))
    const before = await memory()
    const guess = plain('wrong', `ghost@${DOMAIN}`)
    const heard: string[] = []
    for (const talk of talks) {
      const note = (reply: unknown): void => void heard.push(String(reply).slice(0, 9))
      talk.ask(`AUTH PLAIN ${guess}`).then(note, note)
    }
    // Those that found no room hear so at once; the others have their turn, two at a time.
    const heardOf = (code: string) => () => heard.filter((reply) => reply === code).length
    await expect.poll(heardOf('454 4.7.0'), PATIENCE).toBeGreaterThan(0)
    expect(heardOf('454 4.7.0')()).toBeLessThanOrEqual(GUESSERS - WAITING - RUNNING)
    await expect.poll(heardOf('535 5.7.8'), PATIENCE).toBeGreaterThan(RUNNING)
    await stillAnswers(server.ports)
    expect((await memory()) - before).toBeLessThan(MAX_GROWTH)
    for (const talk of talks) talk.close()
  })
})

/** One who has come as far as AUTH. */
async function guesser(): Promise<Talk> {
  const talk = await Talk.securely(server.port('submissions'))
  talk.patienceMs = 60_000
  await expectCode(talk.reply(), 220)
  await expectCode(talk.ask('EHLO laptop'), 250)
  return talk
}

/** Octets of resident memory, at most so far. */
async function memory(): Promise<number> {
  const text = await readFile(`/proc/${server.pid}/status`, 'utf8')
  return Number(/^VmHWM:\s*(\d+) kB$/m.exec(text)![1]) * 1_024
}
