/**
 * A running server is asked to stop: what it has begun it finishes, what it has not begun it
 * refuses.
 */
import { afterEach, describe, expect, test } from 'vitest'
import { belowTrace, deliver, fetchAll, logIn, untilData } from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const BODY = 'Subject: long\r\n\r\nfirst half\r\nsecond half\r\n'

const sites: Site[] = []
afterEach(async () => {
  for (const site of sites.splice(0)) await site.remove()
})

async function made(create?: readonly string[]): Promise<Site> {
  const site = await Site.create(create === undefined ? {} : { create })
  sites.push(site)
  await site.users('alice')
  return site
}

/** True if nobody listens there. */
async function refusesConnections(port: number): Promise<boolean> {
  return Talk.to(port).then(
    (talk) => {
      talk.close()
      return false
    },
    () => true,
  )
}

describe('mailtap run', () => {
  test('names every address that it has bound in its ready line', async () => {
    const where = ['-s', '127.0.0.1:0', '-s', '127.0.0.1:0', '-p', '127.0.0.1:0']
    const site = await made([...where, '--pop3s', '127.0.0.1:0'])
    const { readyLine } = await site.start()
    const address = '127\\.0\\.0\\.1:[1-9]\\d*'
    const [smtp, pop3, pop3s] = ['smtp', 'pop3', 'pop3s'].map((name) => `${name} on ${address}`)
    expect(readyLine).toMatch(new RegExp(`^${smtp}, ${smtp}, ${pop3}, ${pop3s}$`))
    const ports = [...readyLine.matchAll(/:(\d+)/g)].map(([, port]) => Number(port))
    expect(new Set(ports).size).toBe(4)
    for (const port of ports) expect(await refusesConnections(port)).toBe(false)
  })

  test.each(['SIGTERM', 'SIGINT'] as const)(
    'at %s takes the message that is on its way, and no other, and ends with 0',
    async (signal) => {
      const site = await made()
      const server = await site.start()
      const { smtp, pop3 } = server.ports
      const idle = await Talk.to(smtp)
      await idle.reply()
      const sending = await untilData(smtp, ALICE)
      await sending.sendAll(Buffer.from(BODY.slice(0, 30)))
      server.signal(signal)
      await server.says(/server stopping/)
      // Whoever has nothing under way is told to come again.
      expect(await idle.rest()).toMatch(/^421 4\.3\.2 [^\r]*\r\n$/)
      expect(await refusesConnections(smtp)).toBe(true)
      expect(await refusesConnections(pop3)).toBe(true)
      await sending.sendAll(Buffer.from(`${BODY.slice(30)}.\r\n`))
      expect(await sending.reply()).toMatch(/^250 2\.0\.0 /)
      expect(await sending.rest()).toMatch(/^(421 4\.3\.2 [^\r]*\r\n)?$/)
      expect(await server.ended()).toEqual({ code: 0, signal: null })

      const again = await site.start()
      const messages = await fetchAll(again.port('pop3'), ALICE, PASSWORD)
      expect(messages.map((message) => belowTrace(message).toString())).toEqual([BODY])
    },
  )

  test('lives on through HUP and USR1, also while it is stopping', async () => {
    const site = await made()
    const server = await site.start()
    const sending = await untilData(server.port('smtp'), ALICE)
    await sending.sendAll(Buffer.from(BODY.slice(0, 30)))
    server.signal('SIGUSR1')
    server.signal('SIGTERM')
    await server.says(/server stopping/)
    server.signal('SIGHUP')
    server.signal('SIGUSR1')
    await sending.sendAll(Buffer.from(`${BODY.slice(30)}.\r\n`))
    expect(await sending.reply()).toMatch(/^250 2\.0\.0 /)
    expect(await server.ended()).toEqual({ code: 0, signal: null })
    expect(server.output).not.toContain('Debugger')
  })

  test('deletes nothing in a POP3 session that a stop cuts off before QUIT', async () => {
    const site = await made()
    const server = await site.start()
    expect(await deliver(server.port('smtp'), ALICE, BODY)).toMatch(/^250 /)
    const reading = await Talk.to(server.port('pop3'))
    expect(await logIn(reading, ALICE, PASSWORD)).toMatch(/^\+OK/)
    expect(await reading.ask('DELE 1')).toMatch(/^\+OK/)
    expect(await server.kill('SIGTERM')).toEqual({ code: 0, signal: null })
    // A word would be taken for the answer to a command that is yet to come.
    expect(await reading.rest()).toBe('')
    const again = await site.start()
    expect(await fetchAll(again.port('pop3'), ALICE, PASSWORD)).toHaveLength(1)
  })

  test('ends at once when it is asked a second time', async () => {
    const site = await made()
    const server = await site.start()
    await untilData(server.port('smtp'), ALICE)
    server.signal('SIGINT')
    await server.says(/server stopping/)
    server.signal('SIGINT')
    expect(await server.ended()).toEqual({ code: 130, signal: null })
  })
})
