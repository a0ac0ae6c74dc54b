import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Dialogue } from '../../src/net/dialogue.js'
import type { Answer } from '../../src/net/session.js'
import { EchoSession } from '../helpers/echo-session.js'

/** All that comes back for these bytes when they are cut at these places. */
async function answers(bytes: Buffer, cuts: readonly number[], bareLf = false): Promise<string> {
  const session = Object.assign(new EchoSession(), { bareLf })
  const dialogue = new Dialogue(session)
  const edges = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])]
  edges.sort((a, b) => a - b)
  const heard: Answer[] = []
  for (let i = 0; i + 1 < edges.length; i++) {
    dialogue.push(bytes.subarray(edges[i], edges[i + 1]))
    for (let answer = await dialogue.next(); answer !== null; answer = await dialogue.next()) {
      heard.push(answer)
    }
  }
  return heard.map(({ head, then = '' }) => head.toString('latin1') + then).join('')
}

describe('Dialogue', () => {
  test('cuts lines and bodies the same way wherever TCP does', async () => {
    const token = fc.constantFrom('a', 'work\r\n', 'body\r\n', 'x!', '\r', '\n', '\r\n', 'bye\r\n')
    const property = fc.asyncProperty(
      fc.array(token, { maxLength: 20 }),
      fc.array(fc.nat(80)),
      fc.boolean(),
      async (tokens, cuts, bareLf) => {
        const bytes = Buffer.from(tokens.join(''))
        const whole = await answers(bytes, [], bareLf)
        expect(await answers(bytes, cuts, bareLf)).toBe(whole)
        expect(await answers(bytes, [...bytes.keys()], bareLf)).toBe(whole)
      },
    )
    await fc.assert(property, { numRuns: 500 })
  })

  test('answers an overlong line once and goes on', async () => {
    const long = Buffer.from(`${'x'.repeat(5000)}\r\nnext\r\n`)
    const said = 'fault overlong\r\nnext\r\n'
    expect(await answers(long, [])).toBe(said)
    expect(await answers(long, [...long.keys()])).toBe(said)
  })

  test.each([65_535, 65_536, 65_537, 65_538, 200_000])(
    'says the same of a line of %i octets, however it comes (E9)',
    async (length) => {
      const bytes = Buffer.from(`${'x'.repeat(length - 2)}\r\nnext\r\n`)
      const said = length > 65_536 ? 'fault overlong\r\nclose' : 'fault overlong\r\nnext\r\n'
      const every = (step: number) => [...bytes.keys()].filter((at) => at % step === 0)
      for (const cuts of [[], every(1), every(65_536), every(65_535), [length - 1], [length]]) {
        expect(await answers(bytes, cuts)).toBe(said)
      }
    },
  )

  test('takes a line of exactly the limit', async () => {
    const line = `${'x'.repeat(98)}\r\n`
    expect(await answers(Buffer.from(line), [])).toBe(line)
    expect(await answers(Buffer.from(`x${line}`), [])).toBe('fault overlong\r\n')
  })

  test('gives up on a line without end and reads no more', async () => {
    const session = new EchoSession()
    const dialogue = new Dialogue(session)
    let answer: Answer | null = null
    let pushed = 0
    for (; answer === null && pushed < 100; pushed++) {
      dialogue.push(Buffer.alloc(1000, 'x'))
      answer = await dialogue.next()
    }
    expect(answer).toMatchObject({ then: 'close' })
    expect(pushed).toBeLessThan(70)
    dialogue.push(Buffer.from('\r\nnext\r\n'))
    expect(await dialogue.next()).toBeNull()
  })

  test('takes a TLS handshake for what it is only at the very beginning', async () => {
    expect(await answers(Buffer.from('\x16\x03\x01\x00\r\n'), [])).toBe('fault tls-hello\r\nclose')
    expect(await answers(Buffer.from('a\r\n\x16\r\n'), [])).toBe('a\r\n\x16\r\n')
  })
})
