/**
 * Bytes that make two servers disagree about where a message ends (S1 to S11), in one packet and
 * byte by byte.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { expectCode, fetchAll, stillAnswers, untilData } from '../helpers/mail-talk.js'
import { DOMAIN, PASSWORD, type RunningServer, Site } from '../helpers/site.js'
import { Talk } from '../helpers/talk.js'

const ALICE = `alice@${DOMAIN}`
const EVIL = `MAIL FROM:<evil@x.example>\r\nRCPT TO:<${ALICE}>\r\nDATA\r\nSubject: smuggled\r\n\r\nx`
/** Small, so that a message over the limit is sent fast (S5). */
const MAX_SIZE = 2_000

let site: Site
let server: RunningServer
beforeAll(async () => {
  site = await Site.create()
  await site.users('alice')
  await site.configure(`[limits]\nmessage_size = ${MAX_SIZE}`)
  server = await site.start()
})
afterAll(() => site.remove())
/** Nothing got in, whatever was sent. */
afterEach(async () => {
  await stillAnswers(server.ports)
  expect(await fetchAll(server.port('pop3'), ALICE, PASSWORD)).toEqual([])
})

async function give(talk: Talk, bytes: string, bytewise: boolean): Promise<void> {
  if (bytewise) await talk.trickle(bytes)
  else talk.send(bytes)
}

const ENDINGS: readonly (readonly [string, string])[] = [
  ['S1', '\n.\n'],
  ['S1', '\n.\r\n'],
  ['S1', '\r\n.\n'],
  ['S2', '\r.\r'],
  ['S2', '\r.\n'],
  ['S2', '\n.\r'],
  ['S2', '\r.\r\n'],
  ['S2', '\r\n.\r'],
  ['S3', '\r\n.\r\r\n'],
  ['S3', '\r\r\n.\r\r\n'],
]

describe.each([
  { how: 'in one packet', bytewise: false },
  { how: 'byte by byte', bytewise: true },
])('$how', ({ bytewise }) => {
  test.each(ENDINGS)('%s: %j ends no message; the whole is refused', async (_, ending) => {
    const talk = await untilData(server.port('smtp'), ALICE)
    await give(talk, `Subject: outer\r\n\r\nbody${ending}${EVIL}\r\n.\r\n`, bytewise)
    expect(await talk.rest()).toMatch(/^521 5\.5\.2 bare (CR|LF)[^\r]*\r\n$/)
  })

  test.each(['\r\n\0.\r\n', '\r\n.\0\r\n'])('S4: %j ends no message', async (ending) => {
    const talk = await untilData(server.port('smtp'), ALICE)
    await give(talk, `Subject: outer\r\n\r\nbody${ending}${EVIL}\r\n.\r\nQUIT\r\n`, bytewise)
    // Exactly one reply to the body, then that to QUIT.
    expect(await talk.rest()).toMatch(/^550 5\.6\.0 [^\r]*\r\n221 [^\r]*\r\n$/)
  })

  test('S5: what is over the size limit is read by the same rules', async () => {
    const talk = await untilData(server.port('smtp'), ALICE)
    const big = `${'y'.repeat(98)}\r\n`.repeat(MAX_SIZE / 100 + 1)
    await give(talk, `${big}.\nHELP\r\n.\r\n`, bytewise)
    expect(await talk.rest()).toMatch(/^(552 5\.3\.4|521 5\.5\.2) [^\r]*\r\n$/)
  })

  test.each(['GET / HTTP/1.1', 'POST /x HTTP/1.1', 'CONNECT x:25 HTTP/1.1'])(
    'S10: %j is told once that this is no web server',
    async (request) => {
      const talk = await Talk.to(server.port('smtp'))
      await expectCode(talk.reply(), 220)
      await give(talk, `${request}\r\nHost: a\r\n\r\n`, bytewise)
      expect(await talk.rest()).toMatch(/^5\d\d 5\.5\.\d [^\r]*\r\n$/)
    },
  )

  test('S10: a TLS handshake on the plain port is told once, too', async () => {
    const talk = await Talk.to(server.port('smtp'))
    await expectCode(talk.reply(), 220)
    await give(talk, '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03'.padEnd(170, '\xa7'), bytewise)
    expect(await talk.rest()).toMatch(/^554 5\.5\.0 [^\r]*\r\n$/)
  })
})

test('S9: a body that does not wait for 354 ends the session', async () => {
  const talk = await Talk.to(server.port('smtp'))
  await expectCode(talk.reply(), 220)
  await expectCode(talk.ask('EHLO client.example'), 250)
  await expectCode(talk.ask('MAIL FROM:<bob@elsewhere.example>'), 250)
  await expectCode(talk.ask(`RCPT TO:<${ALICE}>`), 250)
  talk.send(`DATA\r\nSubject: x\r\n\r\nx\r\n.\r\n${EVIL}\r\n.\r\n`)
  expect(await talk.rest()).toMatch(/^554 5\.5\.0 [^\r]*\r\n$/)
})

test('S11: who talks before the banner hears it first, and one reply to each line', async () => {
  const talk = await Talk.to(server.port('smtp'))
  talk.send('EHLO early.example\r\nNOOP\r\nQUIT\r\n')
  expect(await talk.rest()).toMatch(
    /^220 [^\r]*\r\n(250-[^\r]*\r\n)+250 [^\r]*\r\n250 2\.0\.0 [^\r]*\r\n221 [^\r]*\r\n$/,
  )
})
