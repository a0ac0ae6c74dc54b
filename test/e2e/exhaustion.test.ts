/** More clients than there is room for: they are told so, the others are served, and it passes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deliver, expectOk, logIn, untilData } from '../helpers/mail-talk.js'
import { testWith } from '../helpers/programs.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const STALLED = 500
const FILES = 200
const MANY = 150

let site: Site
beforeEach(async () => {
  site = await Site.create()
  await site.users('alice')
})
afterEach(() => site.remove())

async function retrieves(server: RunningServer): Promise<void> {
  const talk = await Talk.securely(server.port('pop3s'))
  await expectOk(logIn(talk, ALICE, PASSWORD))
  await expectOk(talk.ask('RETR 1'))
  await talk.text()
  await expectOk(talk.ask('QUIT'))
  talk.close()
}

describe('handshakes', () => {
  test(
    'T7: that never come to an end are ended, and others are served meanwhile',
    { timeout: 60_000 },
    async () => {
      const server = await site.start()
      const mail = 'Subject: one\r\n\r\nhello\r\n'
      expect(await deliver(server.port('smtp'), ALICE, mail)).toMatch(/^250 /)
      const stalled = await Promise.all(
        Array.from({ length: STALLED }, () => Talk.to(server.port('pop3s'))),
      )
      // The beginning of a ClientHello.
      for (const talk of stalled) talk.send(Buffer.of(0x16))
      for (let i = 0; i < 5; i++) await retrieves(server)
      expect(stalled.some(({ ended }) => ended)).toBe(false)
      // The limit of the product; some of it is over already.
      for (const talk of stalled) talk.patienceMs = 30_000
      const heard = await Promise.all(stalled.map((talk) => talk.rest()))
      expect(heard.every((said) => said === '')).toBe(true)
      await retrieves(server)
    },
  )
})

describe('open files', () => {
  testWith(['prlimit'], 'that run short stop new clients and nobody else', async () => {
    const server = await site.start(['prlimit', `--nofile=${FILES}:${FILES}`])
    const port = server.port('smtp')
    const early = await untilData(port, ALICE)
    const talks = await Promise.all(Array.from({ length: MANY }, () => Talk.to(port)))
    const heard = await Promise.all(talks.map((talk) => talk.reply().catch(() => '')))
    const served = heard.filter((first) => first.startsWith('220 '))
    expect(served.length).toBeGreaterThan(10)
    expect(served.length).toBeLessThan(FILES / 2)
    expect(heard.filter((first) => first.startsWith('421 4.3.2 ')).length).toBeGreaterThan(0)
    // Who was here before can still have mail stored.
    early.send('Subject: kept\r\n\r\nhello\r\n.\r\n')
    expect(await early.reply()).toMatch(/^250 /)
    await server.says(/net too many connections .*why=descriptors/)
    for (const talk of [...talks, early]) talk.close()
    await expect.poll(() => greeting(port), { timeout: 10_000 }).toMatch(/^220 /)
    expect(await deliver(port, ALICE, 'Subject: later\r\n\r\nhello\r\n')).toMatch(/^250 /)
  })
})

async function greeting(port: number): Promise<string> {
  const talk = await Talk.to(port)
  const first = await talk.reply().catch(() => '')
  talk.close()
  await sleep(20)
  return first
}
