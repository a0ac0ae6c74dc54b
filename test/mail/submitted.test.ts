import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBuffer, type Message } from '../../src/mail/message.js'
import { completed } from '../../src/mail/submitted.js'

const submission = {
  id: 'ABC',
  hostname: 'mail.example.com',
  now: new Date('2026-11-20T12:00:00Z'),
}
const RECEIVED = 'Received: by mail.example.com;\n\tFri, 20 Nov 2026 12:00:00 +0000\n'
const WHOLE = 'Date: Fri, 20 Nov 2026 11:59:00 +0000\nMessage-ID: <1@client>\n'

async function textOf(message: Message): Promise<string> {
  const parts: Buffer[] = []
  for await (const chunk of message.open()) parts.push(chunk)
  return Buffer.concat(parts).toString('latin1')
}

const done = async (text: string): Promise<string> =>
  textOf(await completed(fromBuffer(Buffer.from(text, 'latin1')), submission))

/** As a large one comes from a disk: in chunks, without being in memory. */
function streamed(text: string, size: number): Message {
  const bytes = Buffer.from(text, 'latin1')
  async function* open(): AsyncGenerator<Buffer> {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }
  const { lines } = fromBuffer(bytes)
  return { size: bytes.length, lines, open }
}

describe('a submitted message', () => {
  it('gets the Date and the Message-ID that it lacks, below the trace', async () => {
    expect(await done(`${RECEIVED}From: alice\n\nhello\n`)).toBe(
      `${RECEIVED}Date: Fri, 20 Nov 2026 12:00:00 +0000\nMessage-ID: <ABC@mail.example.com>\nFrom: alice\n\nhello\n`,
    )
  })

  it('keeps those that it has, however they are written', async () => {
    const text = `${RECEIVED}dAtE: yesterday\nmessage-id : <1@client>\n\nDate is no field here\n`
    expect(await done(text)).toBe(text)
  })

  it('loses every Bcc, folded ones whole, and nothing that looks like one', async () => {
    const blind = 'Bcc: eve@example.com,\n mallory@example.com\nBCC: x\nResent-Bcc: y\n'
    const rest = 'X-Bcc: kept\nTo: bob\n\nBcc: in the body\n'
    expect(await done(`${RECEIVED}${WHOLE}${blind}${rest}`)).toBe(`${RECEIVED}${WHOLE}${rest}`)
  })

  it('is refused when its header is too large to be looked at', async () => {
    const huge = `X: ${'y'.repeat(3_000_000)}\n`
    await expect(done(`${RECEIVED}${huge}Bcc: eve\n\nhello\n`)).rejects.toMatchObject({ code: 552 })
  })

  it('is refused in other words when it has too many fields', async () => {
    const refused = { code: 552, message: 'header has more than the limit of 10000 fields' }
    await expect(done(`${RECEIVED}${'a:\n'.repeat(10_001)}\n`)).rejects.toMatchObject(refused)
  })

  it('is the same from memory and from a disk, with its true size, however it is cut', async () => {
    const text = fc.array(
      fc.constantFrom('Bcc: x\n', 'Date: d\n', 'To: y\n', ' folded\n', '\n', 'no field\n', 'é\n'),
      { maxLength: 12 },
    )
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 40 }), async (lines, size) => {
        const message = RECEIVED + lines.join('')
        const found = await completed(streamed(message, size), submission)
        const content = await textOf(found)
        expect(content).toBe(await done(message))
        expect(found.size).toBe(Buffer.byteLength(content, 'latin1'))
        expect(found.lines).toBe(content.split('\n').length - 1)
      }),
    )
  })
})
