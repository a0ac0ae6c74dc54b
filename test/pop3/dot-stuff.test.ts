import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { dotStuff } from '../../src/pop3/dot-stuff.js'
import { top } from '../../src/pop3/top.js'
import { chunked, collect, content, later, unstuff } from './streams.js'

describe('dot-stuffing', () => {
  test('gives back the content, whatever it is and however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat(40)), async (bytes, cuts) => {
        const chunks = chunked(bytes, cuts)
        const now = await collect(dotStuff(chunks))
        const whole = await collect(dotStuff([bytes]))
        expect(now).toEqual(whole)
        expect(await collect(dotStuff(later(chunks)))).toEqual(whole)
        expect(unstuff(whole, bytes)).toEqual(bytes)
      }),
      { numRuns: 2000 },
    )
  })

  test('ends the response once, at its end, for a client that takes LF for a line end, too', async () => {
    await fc.assert(
      fc.asyncProperty(content, async (bytes) => {
        const text = (await collect(dotStuff([bytes]))).toString('latin1')
        expect(text.split(/\r?\n/).indexOf('.')).toBe(text.split(/\r?\n/).length - 2)
      }),
      { numRuns: 2000 },
    )
  })

  test('hands on chunks as they are when there is nothing to stuff', () => {
    const chunk = Buffer.from('Subject: x\r\n\r\nno dot begins a line.\r\n')
    const [first] = dotStuff([chunk]) as Buffer[]
    expect(first).toBe(chunk)
  })

  test('takes a megabyte of dots in one copy', () => {
    const out = dotStuff([Buffer.from('.\r\n'.repeat(350_000))]) as Buffer[]
    expect(out.length).toBeLessThanOrEqual(3)
    expect(Buffer.concat(out).length).toBe(350_000 * 4 + 3)
  })

  test('passes a read error on and never ends the response after one', async () => {
    async function* torn(): AsyncGenerator<Buffer> {
      yield Buffer.from('A: 1\r\n')
      throw new Error('read error')
    }
    const heard: Buffer[] = []
    const reading = async () => {
      for await (const chunk of dotStuff(torn())) heard.push(chunk)
    }
    await expect(reading()).rejects.toThrow('read error')
    expect(Buffer.concat(heard).toString()).toBe('A: 1\r\n')
  })
})

describe('the top of a message', () => {
  test('is the header, the blank line and n lines, however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(content, fc.array(fc.nat(40)), fc.nat(6), async (bytes, cuts, lines) => {
        const chunks = chunked(bytes, cuts)
        const expected = simpleTop(bytes, lines)
        expect((await collect(top(chunks, lines))).toString('latin1')).toBe(expected)
        expect((await collect(top(later(chunks), lines))).toString('latin1')).toBe(expected)
      }),
      { numRuns: 2000 },
    )
  })

  test('leaves the rest of the store alone', async () => {
    let asked = 0
    let released = false
    async function* source(): AsyncGenerator<Buffer> {
      try {
        for (; asked < 1000; asked++) yield Buffer.from('A: 1\r\n\r\nbody\r\n')
      } finally {
        released = true
      }
    }
    await collect(top(source(), 0))
    expect(asked).toBe(0)
    expect(released).toBe(true)
  })
})

/** The same by strings: slow, and easy to believe. */
function simpleTop(bytes: Buffer, lines: number): string {
  const all = bytes.toString('latin1').match(/[^\n]*\n|[^\n]+$/g) ?? []
  const blank = all.findIndex((line) => line === '\n' || line === '\r\n')
  return (blank === -1 ? all : all.slice(0, blank + 1 + lines)).join('')
}
