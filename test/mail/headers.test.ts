import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Header, HEADER_LIMITS, headerSize, readHeader } from '../../src/mail/headers.js'

const read = (text: string | Buffer, limits = HEADER_LIMITS): Promise<Header> =>
  readHeader([Buffer.from(text as string, 'latin1')], limits)

const named = ({ fields }: Header): string[] => fields.map(({ name, text }) => `${name}=${text}`)

/** Bytes that a header parser looks at, and some others. */
const anyMessage = fc
  .array(fc.constantFrom('\n', '\n\n', ' ', '\t', ':', 'A', 'Subject', 'é', '\0', '.', '\r'))
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

/** The same bytes, cut anywhere. */
function cutUp(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const size of sizes) {
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...chunks, bytes.subarray(at)]
}

async function* later(chunks: readonly Buffer[]): AsyncIterable<Buffer> {
  yield* chunks
}

describe('the header of a message', () => {
  it('is its fields in their order, and ends at the empty line', async () => {
    const header = await read('From: a@b.c\nSUBJECT :  one\n two\n\tthree \n\nNot: this\n')
    expect(named(header)).toEqual(['From=a@b.c', 'SUBJECT=one two\tthree'])
    expect(header).toMatchObject({ size: 41, cut: null })
    const [, subject] = header.fields
    expect(subject!.is('Subject')).toBe(true)
    expect(subject!.is('Subjects')).toBe(false)
    expect(subject!.raw.toString()).toBe('SUBJECT :  one\n two\n\tthree \n')
    expect(subject!.value.toString()).toBe('  one\n two\n\tthree ')
  })

  it.each([
    ['', 0, []],
    ['\n', 1, []],
    ['\nBody: x\n', 1, []],
    ['A: 1', 4, ['A=1']],
    ['A:\n', 3, ['A=']],
    ['A: 1\n\n', 6, ['A=1']],
    [' first\nA: 1\n', 12, ['=first', 'A=1']],
    ['From a@b Mon\nA: 1\n', 18, ['=From a@b Mon', 'A=1']],
    ['no colon\n more\nA: 1\n', 20, ['=no colon more', 'A=1']],
    [': x\n', 4, ['=: x']],
    ['A\0: x\n', 6, ['=A\0: x']],
  ])('of %j has %d octets and the fields %j', async (text, size, fields) => {
    const header = await read(text)
    expect([header.size, named(header), header.cut]).toEqual([size, fields, null])
  })

  it('is UTF-8, or else Latin-1', async () => {
    const header = await read(Buffer.from('A: grüße\nB: gr\xfc\xdfe\n', 'latin1'))
    expect(named(header)).toEqual(['A=grüße', 'B=grüße'])
    const utf8 = await readHeader([Buffer.from('A: grüße ✉\n')])
    expect(utf8.fields[0]!.text).toBe('grüße ✉')
  })

  it('may call its fields what it likes (H2)', async () => {
    const names = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']
    const header = await read(names.map((name) => `${name}: {"x":1}\n`).join(''))
    expect(header.fields.map(({ name }) => name)).toEqual(names)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  it('is read up to a limit of octets, and what lies across it is left out', async () => {
    const limits = { octets: 10, fields: 100 }
    expect(await read('A: 1\nB: 2\n\nbody', limits)).toMatchObject({ cut: null, size: 11 })
    expect(await read('A: 1\nB: 2\n', limits)).toMatchObject({ cut: null, size: 10 })
    const cut = await read('A: 1\nB: 22\n\n', limits)
    expect([cut.cut, named(cut)]).toEqual(['octets', ['A=1']])
    const folded = await read('A: 1\n 2345678', limits)
    expect([folded.cut, named(folded)]).toEqual(['octets', []])
  })

  it('is read up to a limit of fields', async () => {
    const limits = { octets: 100, fields: 2 }
    expect((await read('A: 1\nB: 2\n\nx', limits)).cut).toBeNull()
    const cut = await read('A: 1\nB: 2\nC: 3\n\nx', limits)
    expect([cut.cut, named(cut)]).toEqual(['fields', ['A=1', 'B=2']])
  })

  it('is the same however the bytes come', async () => {
    const chunks = fc.array(fc.nat(4), { maxLength: 30 })
    const limits = fc.record({ octets: fc.nat(30), fields: fc.nat(4) })
    await fc.assert(
      fc.asyncProperty(anyMessage, chunks, limits, async (bytes, sizes, limit) => {
        const whole = await readHeader([bytes], limit)
        const pieces = cutUp(bytes, sizes)
        const bytewise = [...bytes].map((byte) => Buffer.of(byte))
        for (const ways of [() => pieces, () => later(pieces), () => bytewise]) {
          const again = await readHeader(ways(), limit)
          expect([again.cut, again.size, named(again)]).toEqual([
            whole.cut,
            whole.size,
            named(whole),
          ])
          const size = whole.cut === 'octets' ? null : whole.size
          expect(await headerSize(ways(), limit.octets)).toBe(size)
        }
      }),
    )
  })

  it('holds every byte of the header once', async () => {
    await fc.assert(
      fc.asyncProperty(anyMessage, async (bytes) => {
        const { fields, size } = await readHeader([bytes])
        const text = bytes.toString('latin1')
        const all = Buffer.concat(fields.map(({ raw }) => raw)).toString('latin1')
        expect(text.startsWith(all)).toBe(true)
        const end = text.startsWith('\n') ? 0 : text.indexOf('\n\n') + 1
        const none = end === 0 && !text.startsWith('\n')
        expect([all, size]).toEqual(none ? [text, text.length] : [text.slice(0, end), end + 1])
      }),
    )
  })

  it('is asked for no more bytes than it needs', async () => {
    let asked = 0
    async function* endless(text: string): AsyncIterable<Buffer> {
      for (;;) {
        asked++
        yield Buffer.from(text)
      }
    }
    expect(await readHeader(endless('A: 1\n\nbody\n'))).toMatchObject({ size: 6, cut: null })
    expect(asked).toBe(1)
    expect((await readHeader(endless('x'.repeat(65_536)))).cut).toBe('octets')
    expect(asked).toBeLessThanOrEqual(2 + HEADER_LIMITS.octets / 65_536)
  })

  // Quadratic work would be 10^11 steps here: the time limit of the test is the measure.
  it.each([
    ['lines without a colon', 'x\n'],
    ['empty names', ':\n'],
    ['folded lines', ' x\n'],
    ['blanks before a colon', '   '],
    ['short fields', 'A: 1\n'],
  ])('of half a million octets is read in linear time: %s (H3, H4)', async (_, unit) => {
    const text = Buffer.from(unit.repeat(Math.floor(500_000 / unit.length)))
    const limits = { octets: text.length, fields: text.length }
    const { fields } = await readHeader([text], limits)
    const octets = fields.reduce((sum, field) => sum + field.raw.length + field.name.length, 0)
    expect(octets).toBeGreaterThanOrEqual(text.length)
    expect(fields.every(({ text: value }) => value.length <= text.length)).toBe(true)
  })
})
