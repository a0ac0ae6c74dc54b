import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mboxEntry, MboxFault, mboxMessages } from '../../cli/mbox.js'

async function messagesIn(text: string, chunk = 7): Promise<string[]> {
  const bytes = Buffer.from(text, 'latin1')
  async function* chunks(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk)
  }
  const found: string[] = []
  for await (const message of mboxMessages(chunks())) found.push(message.toString('latin1'))
  return found
}

const line = fc.oneof(
  fc.constantFrom('', 'From here', '>From there', '>>From', 'From: x', '\r', 'a\rb'),
  fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)) }),
)
const message = fc
  .array(line, { minLength: 1 })
  .map((lines) => lines.join('\n').replace(/\r+\n/g, '\n').replace(/\r+$/, ''))
  .map((text) => `${text}\n`)

describe('mbox', () => {
  test('gives back every message that was written, whatever stands in it', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(message), fc.integer({ min: 1, max: 50 }), async (all, chunk) => {
        const file = all.map((each) => mboxEntry(Buffer.from(each, 'latin1'), 0).toString('latin1'))
        expect(await messagesIn(file.join(''), chunk)).toEqual(all)
      }),
    )
  })

  test.each([
    ['the end of time', 253_402_300_799, 'Fri Dec 31 23:59:59 9999'],
    ['a year of five digits', 253_402_300_800, 'Thu Jan  1 00:00:00 1970'],
    ['what no clock can say', 999_999_999_999_999, 'Thu Jan  1 00:00:00 1970'],
    ['no time at all', Infinity, 'Thu Jan  1 00:00:00 1970'],
  ])('writes a time that readers know: %s', (_, seconds, time) => {
    const entry = mboxEntry(Buffer.from('a\n'), seconds).toString()
    expect(entry).toBe(`From MAILER-DAEMON ${time}\na\n\n`)
  })

  test('names the sender and the time', () => {
    const entry = mboxEntry(Buffer.from('Return-Path: <bob@x.org>\r\nA: b\r\n\r\nc'), 1_000_000_000)
    expect(entry.toString()).toBe(
      'From bob@x.org Sun Sep  9 01:46:40 2001\nReturn-Path: <bob@x.org>\nA: b\n\nc\n\n',
    )
  })

  test('reads CR LF, an empty file, and lines that only look like a beginning', async () => {
    expect(await messagesIn('From a b\r\nA: b\r\n\r\nx\r\nFrom c\r\n\r\n')).toEqual([
      'A: b\n\nx\nFrom c\n',
    ])
    expect(await messagesIn('')).toEqual([])
  })

  test('refuses what is no mbox', async () => {
    await expect(messagesIn('Subject: a message\n\n')).rejects.toThrow(MboxFault)
  })
})
