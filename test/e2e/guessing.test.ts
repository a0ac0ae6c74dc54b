/** Strangers who guess passwords, on every port that takes logins, from wherever they say they are. */
import { writeFile } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectCode, expectOk, stillAnswers } from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ANY = '127.0.0.1:0'
const BEHIND = `${ANY}?proxy=127.0.0.1`
const ALICE = `alice@${DOMAIN}`
const LIMITS = `[limits]
login_failures_per_address = 4
login_failures_per_network = 8
login_failures_per_user = 6
trusted = ["198.51.100.0/24"]`

let site: Site
let server: RunningServer
beforeAll(async () => {
  const own = ['--submission', BEHIND, '--pop3s', BEHIND]
  site = await Site.create({ create: ['-s', ANY, '-p', ANY, ...own] })
  await site.configure(LIMITS)
  for (const name of ['alice', 'bob'])
    await writeFile(site.userFile(name), `{PLAIN}${PASSWORD}\n`, { mode: 0o600 })
  server = await site.start()
})
afterAll(() => site.remove())
afterEach(() => stillAnswers(server.ports))

const proxied = (from: string): string => `PROXY TCP4 ${from} 198.51.100.1 4711 25\r\n`
const plain = (user: string, password: string): string =>
  Buffer.from(`\0${user}\0${password}`).toString('base64')

/** One login for sending, over a connection of its own. @returns the first nine octets of the reply */
async function sends(from: string, user: string, password: string): Promise<string> {
  const talk = await Talk.to(server.port('submission'))
  talk.send(proxied(from))
  await expectCode(talk.reply(), 220)
  await expectCode(talk.ask('EHLO laptop'), 250)
  await expectCode(talk.ask('STARTTLS'), 220)
  await talk.secure()
  await expectCode(talk.ask('EHLO laptop'), 250)
  const reply = await talk.ask(`AUTH PLAIN ${plain(user, password)}`)
  talk.close()
  return reply.slice(0, 9)
}

/** One login for reading. @returns the first word of the answer and what stands in brackets */
async function reads(from: string, user: string, password: string): Promise<string> {
  const talk = await Talk.to(server.port('pop3s'))
  talk.send(proxied(from))
  await talk.secure()
  await expectOk(talk.line())
  const reply = await talk.ask(`AUTH PLAIN ${plain(user, password)}`)
  if (reply.startsWith('+OK')) await expectOk(talk.ask('QUIT'))
  talk.close()
  return reply.split(' ', reply.startsWith('-ERR') ? 2 : 1).join(' ')
}

describe('somebody who guesses (A3)', () => {
  test('has so many tries on all ports together, whatever the name', async () => {
    const from = '192.0.2.1'
    expect(await sends(from, ALICE, 'wrong')).toBe('535 5.7.8')
    expect(await reads(from, ALICE, 'wrong')).toBe('-ERR [AUTH]')
    expect(await sends(from, `ghost@${DOMAIN}`, 'wrong')).toBe('535 5.7.8')
    expect(await reads(from, `ghost@${DOMAIN}`, 'wrong')).toBe('-ERR [AUTH]')
    // The right one, too: or it would tell which one is right.
    for (const password of ['wrong', PASSWORD]) {
      expect(await sends(from, `bob@${DOMAIN}`, password)).toBe('454 4.7.0')
      expect(await reads(from, `bob@${DOMAIN}`, password)).toBe('-ERR [SYS/TEMP]')
    }
    await server.says(/smtp login failed .*ip=192\.0\.2\.1 .*too many failed/)
  })

  test('does not lock the user out elsewhere, nor where the user was before', async () => {
    const home = '203.0.113.1'
    expect(await reads(home, ALICE, PASSWORD)).toBe('+OK')
    const guesses = Array.from({ length: 8 }, (_, host) => sends(`10.${host}.0.1`, ALICE, 'wrong'))
    expect(await Promise.all(guesses)).toEqual(Array.from(guesses, () => '535 5.7.8'))
    expect(await reads(home, ALICE, PASSWORD)).toBe('+OK')
    expect(await sends('203.0.114.9', ALICE, PASSWORD)).toBe('235 2.7.0')
    // A guesser next door uses up what the address has, but not for those who are known there.
    for (let i = 0; i < 4; i++)
      expect(await reads(home, `ghost@${DOMAIN}`, 'x')).toBe('-ERR [AUTH]')
    expect(await reads(home, `bob@${DOMAIN}`, PASSWORD)).toBe('-ERR [SYS/TEMP]')
    expect(await sends(home, ALICE, PASSWORD)).toBe('235 2.7.0')
  })

  test('is not counted where the administrator trusts', async () => {
    const ghost = `ghost@${DOMAIN}`
    const guesses = Array.from({ length: 10 }, () => sends('198.51.100.7', ghost, 'wrong'))
    expect(await Promise.all(guesses)).toEqual(Array.from(guesses, () => '535 5.7.8'))
  })
})
