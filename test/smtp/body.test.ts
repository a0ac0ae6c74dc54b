import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyParser } from '../../src/smtp/body.js'

interface Parsed {
  readonly content: string
  readonly lines: number
  readonly fault: string | null
  /** Bytes used until the end; `null` if there was none. */
  readonly end: number | null
}

function parse(bytes: Buffer, cuts: readonly number[] = []): Parsed {
  const parser = new BodyParser()
  const content: Buffer[] = []
  let lines = 0
  const edges = [...new Set([0, ...cuts.filter((cut) => cut < bytes.length), bytes.length])]
  edges.sort((a, b) => a - b)
  for (let i = 0; i + 1 < edges.length; i++) {
    const piece = parser.feed(bytes.subarray(edges[i], edges[i + 1]))
    content.push(piece.content)
    lines += piece.lines
    if (piece.done) {
      const text = Buffer.concat(content).toString('latin1')
      return { content: text, lines, fault: parser.fault, end: edges[i]! + piece.taken }
    }
  }
  return {
    content: Buffer.concat(content).toString('latin1'),
    lines,
    fault: parser.fault,
    end: null,
  }
}

const text = (body: string): Parsed => parse(Buffer.from(body, 'latin1'))

/** The same, every byte in a piece of its own. */
function bytewise(body: string): Parsed {
  const bytes = Buffer.from(body, 'latin1')
  return parse(bytes, [...bytes.keys()])
}

/** What RFC 5321 section 4.5.2 says, written as plainly as can be. */
function stuffed(lines: readonly string[]): string {
  return `${lines.map((line) => `${line.startsWith('.') ? '.' : ''}${line}\r\n`).join('')}.\r\n`
}

describe('BodyParser', () => {
  test('an empty body is a body', () => {
    expect(text('.\r\n')).toEqual({ content: '', lines: 0, fault: null, end: 3 })
  })

  test('dots at the start of a line come off, others stay', () => {
    expect(text('.test\r\n..\r\na.\r\n...b\r\n.\r\n')).toMatchObject({
      content: 'test\n.\na.\n..b\n',
      lines: 4,
      fault: null,
    })
  })

  test('what follows the end is not touched', () => {
    expect(text('a\r\n.\r\nMAIL FROM:<x>\r\n').end).toBe(6)
  })

  test.each([
    ...['\n.\n', '\n.\r\n', '\r\n.\n', '\r.\r', '\r.\n', '\n.\r', '\r.\r\n', '\r\n.\r'],
    ...['\r\n.\r\r\n', '\r\r\n.\r\r\n', '\r\n\0.\r\n', '\r\n.\0\r\n', '\r\n.\r\0\n'],
  ])('%j does not end a message and spoils it', (end) => {
    const parsed = text(`a${end}b\r\n.\r\n`)
    expect(parsed.fault).not.toBeNull()
    expect(parsed.end).toBe(1 + end.length + 6)
  })

  test.each(['.\r', '.\n', '.\r\r\n', '\n.\r\n', '\r.\r\n', '.\0\r\n'])(
    '%j at the very start does not end a message either',
    (start) => {
      const parsed = text(`${start}x\r\n.\r\n`)
      expect(parsed.fault).not.toBeNull()
      expect(parsed.end).toBe(start.length + 6)
    },
  )

  // What nearly ends a body, in its middle and at its start: the cases of mox's table; a lone LF is never taken here.
  test.each([
    ['test\r\n.\r\n', 'test\n'],
    ['.\r\n', ''],
    ['.test\r\n.\r\n', 'test\n'],
    ['..test\r\n.\r\n', '.test\n'],
  ])('S6: %j is a message', (body, content) => {
    expect(text(body)).toMatchObject({ content, fault: null, end: body.length })
    expect(bytewise(body)).toEqual(text(body))
  })

  test.each([
    ['..test\ntest.\n\r\n.\r\n', 'bare LF'],
    ['one\rtwo\r\n.\r\n', 'bare CR'],
    ['one\r.\rtwo\r\n.\r\n', 'bare CR'],
    ['one\r.\ntwo\r\n.\r\n', 'bare LF'],
    ['one\n.\ntwo\r\n.\r\n', 'bare LF'],
    ['one\n.\r\ntwo\r\n.\r\n', 'bare LF'],
    ['one\r\n.\ntwo\r\n.\r\n', 'bare LF'],
    ['.\rtwo\r\n.\r\n', 'bare CR'],
    ['.\ntwo\r\n.\r\n', 'bare LF'],
    ['\n.\rtwo\r\n.\r\n', 'bare LF'],
    ['\r.\rtwo\r\n.\r\n', 'bare CR'],
    ['\n.\ntwo\r\n.\r\n', 'bare LF'],
    ['\r.\ntwo\r\n.\r\n', 'bare LF'],
    ['\r.\r\ntwo\r\n.\r\n', 'bare CR'],
    ['\n.\r\ntwo\r\n.\r\n', 'bare LF'],
    ['\r\n.\rtwo\r\n.\r\n', 'bare CR'],
    ['\r\n.\ntwo\r\n.\r\n', 'bare LF'],
  ])('S6: %j is refused, at its end and not before', (body, fault) => {
    expect(text(body)).toMatchObject({ fault, end: body.length })
    expect(bytewise(body)).toEqual(text(body))
  })

  test.each(['..test\ntest\n', 'no end', '', '.', '.\r', 'x\r\n.'])(
    'S6: %j has no end yet',
    (body) => {
      expect(text(body).end).toBeNull()
      expect(bytewise(body).end).toBeNull()
    },
  )

  // Where a socket hands over 64 KiB, each byte of the end may be the first of the next piece.
  test.each([0, 1, 2, 3, 4, 5, 6])(
    'S7: an end %i octets before the edge of 64 KiB is one',
    (before) => {
      const edge = 65_536
      const body = `${'x'.repeat(edge - before)}\r\n.\r\nQUIT\r\n`
      const expected = { content: `${'x'.repeat(edge - before)}\n`, lines: 1, fault: null }
      const parsed = parse(Buffer.from(body), [edge])
      expect(parsed).toEqual({ ...expected, end: edge - before + 5 })
    },
  )

  test.each(['\r', '\n', '.', '\r\r', '\r\n.\r', '\n.\r'])(
    'S7: %j at the edge of 64 KiB is what it is elsewhere',
    (last) => {
      const start = 'x'.repeat(65_536 - last.length) + last
      for (const rest of ['\n.\r\n', '.\r\n\r\n.\r\n', 'y\r\n.\r\n', '\r\n.\r\n']) {
        const bytes = Buffer.from(`${start}${rest}`)
        expect(parse(bytes, [65_536])).toEqual(parse(bytes))
      }
    },
  )

  test('gives back every list of lines, wherever the bytes are cut', () => {
    const line = fc.string({
      unit: fc.constantFrom('.', 'a', 'b', '\t', ' ', '\xff'),
      maxLength: 8,
    })
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat(200)), (lines, cuts) => {
        const bytes = Buffer.from(`${stuffed(lines)}QUIT\r\n`, 'latin1')
        expect(parse(bytes, cuts)).toEqual({
          content: lines.map((each) => `${each}\n`).join(''),
          lines: lines.length,
          fault: null,
          end: bytes.length - 6,
        })
      }),
    )
  })

  test('says the same of any bytes, wherever they are cut', () => {
    const byte = fc.constantFrom(...Buffer.from('\r\n.\0ab'))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), fc.array(fc.nat(60)), (bytes, cuts) => {
        const whole = parse(Buffer.from(bytes))
        const cut = parse(Buffer.from(bytes), cuts)
        expect(cut).toEqual(whole)
        expect(
          parse(
            Buffer.from(bytes),
            bytes.map((_, at) => at),
          ),
        ).toEqual(whole)
      }),
      { numRuns: 1000 },
    )
  })

  test('ends at CR LF dot CR LF only, in any bytes', () => {
    const byte = fc.constantFrom(...Buffer.from('\r\n.\0a'))
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
        const all = Buffer.from(bytes)
        const at = `\r\n${all.toString('latin1')}`.indexOf('\r\n.\r\n')
        // The body begins at a line start: the CR LF before it is the command's.
        expect(parse(all).end).toBe(at === -1 ? null : at + 3)
      }),
      { numRuns: 2000 },
    )
  })
})
