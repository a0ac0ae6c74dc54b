import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { relaxedBodyHash, relaxedField } from '../../src/dkim/relaxed.js'

const hashOf = (text: string): string => createHash('sha256').update(text, 'latin1').digest('hex')

async function* later(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  yield* chunks
}

/** RFC 6376 section 3.4.4 word by word, on the whole body at once. */
function relaxedBody(text: string): string {
  const lines = text.split('\n').map((line) => line.replaceAll(/[ \t]+/g, ' ').replace(/ $/, ''))
  const last = lines.findLastIndex((line) => line !== '')
  return lines
    .slice(0, last + 1)
    .map((line) => `${line}\r\n`)
    .join('')
}

const anyBody = fc
  .array(fc.constantFrom('\n', '\n\n', ' ', '\t', 'a', 'é', '.', ' \n', '\0', '=20'), {
    maxLength: 60,
  })
  .map((parts) => parts.join(''))

describe('the relaxed form', () => {
  test('of the example of RFC 6376 section 3.4.5 is the one that stands there', async () => {
    expect(relaxedField('A', Buffer.from(' X')).toString()).toBe('a:X')
    expect(relaxedField('B', Buffer.from(' Y\t\n\tZ  ')).toString()).toBe('b:Y Z')
    const hash = await relaxedBodyHash([Buffer.from(' C \nD \t E\n\n\n')], 0)
    expect(hash.toString('hex')).toBe(hashOf(' C\r\nD E\r\n'))
  })

  test.each(['', '\n', '\n\n', ' \n\t\n', '  '])('of the body %j is empty', async (body) => {
    expect((await relaxedBodyHash([Buffer.from(body)], 0)).toString('hex')).toBe(hashOf(''))
  })

  test('of a field keeps every octet that is no blank', () => {
    const value = Buffer.from([0x20, 0xc3, 0xbc, 0xff, 0x09, 0x20, 0x00, 0x20])
    expect([...relaxedField('X-Y', value)]).toEqual([
      ...Buffer.from('x-y:'),
      ...[0xc3, 0xbc, 0xff, 0x20, 0x00],
    ])
    expect(relaxedField('Subject', Buffer.from(' ')).toString()).toBe('subject:')
    expect(relaxedField('Subject', Buffer.from('')).toString()).toBe('subject:')
  })

  test('of any body is the same however it is cut into pieces, at once or later', async () => {
    const sizes = fc.array(fc.nat(7), { maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(anyBody, sizes, fc.nat(20), async (body, cuts, skip) => {
        const header = 'h'.repeat(skip)
        let rest = Buffer.from(header + body, 'latin1')
        const chunks: Buffer[] = []
        for (const size of cuts) {
          chunks.push(rest.subarray(0, size))
          rest = rest.subarray(size)
        }
        chunks.push(rest)
        const hash = hashOf(relaxedBody(body))
        expect((await relaxedBodyHash(chunks, skip)).toString('hex')).toBe(hash)
        expect((await relaxedBodyHash(later(chunks), skip)).toString('hex')).toBe(hash)
      }),
      { numRuns: 500 },
    )
  })

  test('counts empty lines, however many, and pieces larger than it works on at once', async () => {
    const body = `x${'\n'.repeat(70_001)} y\t${'z '.repeat(50_000)}\n\n`
    const hash = await relaxedBodyHash([Buffer.from(body)], 0)
    expect(hash.toString('hex')).toBe(hashOf(relaxedBody(body)))
  })
})
