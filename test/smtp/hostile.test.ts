/** Mail made to be dear: twice as much of it takes about twice the work (H3, H4, H5). */
import { describe, expect, test } from 'vitest'
import { Dialogue } from '../../src/net/dialogue.js'
import { SmtpStage } from '../helpers/smtp-stage.js'

/** As TCP hands it over. */
const CHUNK = 65_536
/** Twice as much is still read: a larger header is refused unread. */
const OCTETS = 500_000
const RUNS = 3
/** Quadratic work has 4; a machine that does much else has its moods. */
const MOST = 3
/** Below it a measurement says nothing; milliseconds. */
const NOISE = 20

/** What is repeated in the header, or behind the start of the message. */
const MESSAGES: readonly (readonly [string, string, string])[] = [
  ['one recipient after the other', 'To: ', 'a-'],
  ['comments after addresses', 'To: a@b', '(c)@b'],
  ['comments in comments', 'To: ', '('],
  ['groups in groups', 'To: ', 'a:'],
  ['encoded words without an end', 'Subject: ', '=?utf-8?B?'],
  ['one field of many lines', 'X: 1\r\n', ' x\r\n'],
  ['parameters of a type', 'Content-Type: a/b', '; p*9=1'],
  ['many fields', '', 'A: 1\r\n'],
  ['lines without a colon', '', 'x\r\n'],
  ['hidden recipients', '', 'Bcc: a\r\n'],
  ['parts of parts', 'Content-Type: multipart/mixed; boundary=b\r\n\r\n', '--b\r\n\r\n'],
  ['dots', '\r\n', '..\r\n'],
]

/** Milliseconds of CPU for a message of about that size, from MAIL to the reply. */
async function cost(begin: string, unit: string, octets: number): Promise<number> {
  const stage = new SmtpStage()
  const rests = { user: 'alice@example.com secret', limit: '10000000', submission: '', secure: '' }
  const filter = { filter: '{"headers":{"maxSize":10000000,"require":["From"]}}' }
  for (const [name, rest] of Object.entries({ ...rests, ...filter }))
    stage.direct({ kind: 'directive', name, rest, block: Buffer.alloc(0) })
  const session = stage.open()
  const dialogue = new Dialogue(session)
  await session.greet()
  const login = Buffer.from('\0alice@example.com\0secret').toString('base64')
  const envelope = 'MAIL FROM:<alice@example.com>\r\nRCPT TO:<alice@example.com>\r\nDATA\r\n'
  await said(dialogue, Buffer.from(`EHLO x\r\nAUTH PLAIN ${login}\r\n${envelope}`))
  const content = `From: x\r\n${begin}${unit.repeat(Math.floor(octets / unit.length))}`
  const bytes = Buffer.from(`${content}\r\n.\r\n`)
  const start = process.cpuUsage()
  const reply = await said(dialogue, bytes)
  const { user, system } = process.cpuUsage(start)
  expect(reply).toMatch(/^(?:250|552) /)
  await session.closed()
  return (user + system) / 1_000
}

/** @returns the last reply */
async function said(dialogue: Dialogue, bytes: Buffer): Promise<string> {
  let last = ''
  for (let at = 0; at < bytes.length; at += CHUNK) {
    dialogue.push(bytes.subarray(at, at + CHUNK))
    for (let answer; (answer = await dialogue.next()) !== null;) last = String(answer.head)
  }
  return last
}

/** The best of some: what disturbs it makes it only longer. */
async function least(begin: string, unit: string, octets: number): Promise<number> {
  let best = Infinity
  for (let run = 0; run < RUNS; run++) best = Math.min(best, await cost(begin, unit, octets))
  return best
}

describe('half a megabyte of', () => {
  test.each(MESSAGES)('%s takes half the work of a whole one', async (_, begin, unit) => {
    await cost(begin, unit, OCTETS)
    const one = await least(begin, unit, OCTETS)
    const two = await least(begin, unit, OCTETS * 2)
    expect(two).toBeLessThan(Math.max(one, NOISE) * MOST)
  })
})
