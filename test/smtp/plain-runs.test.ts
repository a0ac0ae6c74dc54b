import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { BodyParser, type BodyFault } from '../../src/smtp/body.js'
import { PlainRuns } from '../../src/smtp/plain-runs.js'

interface Parsed {
  readonly content: Buffer
  readonly lines: number
  readonly fault: BodyFault | null
  /** Octets used up to the end; `null` if there was none. */
  readonly end: number | null
}

function parsed(parser: BodyParser, bytes: Buffer, cuts: readonly number[]): Parsed {
  const pieces: Buffer[] = []
  const edges = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])]
  let from = 0
  let lines = 0
  let end: number | null = null
  for (const to of edges.toSorted((a, b) => a - b)) {
    const piece = parser.feed(bytes.subarray(from, to))
    pieces.push(piece.content)
    lines += piece.lines
    if (piece.done) end = from + piece.taken
    if (end !== null) break
    expect(piece.taken).toBe(to - from)
    from = to
  }
  return { content: Buffer.concat(pieces), lines, fault: parser.fault, end }
}

/** Both ways on the same bytes, cut in the same places. */
function expectSame(bytes: Buffer, cuts: readonly number[] = []): void {
  const fast = parsed(new BodyParser(PlainRuns.make()), bytes, cuts)
  const table = parsed(new BodyParser(null), bytes, cuts)
  expect(fast.content.equals(table.content)).toBe(true)
  expect({ ...fast, content: null }).toEqual({ ...table, content: null })
}

/** Text in which specials are frequent here and rare there, and lines of all lengths. */
const part = fc.oneof(
  fc.constantFrom('\r\n', '\r\n.', '\r\n..', '.', '\r\n.x\r\n', '\xff'),
  { weight: 3, arbitrary: fc.integer({ min: 1, max: 90 }).map((n) => `${'x'.repeat(n)}\r\n`) },
  fc.integer({ min: 1, max: 200 }).map((n) => 'y'.repeat(n)),
)
const special = fc.constantFrom(
  '\r',
  '\n',
  '\0',
  '\r\r\n',
  '\n.\r\n',
  '\r\n.\r',
  '\r\n.\r\n',
  '.\r\n',
)
const bytesOf = (parts: readonly string[]): Buffer => Buffer.from(parts.join(''), 'latin1')

describe('plain runs', () => {
  test('can be had here, so that the other tests compare two things', () => {
    const runs = PlainRuns.make()!
    const into = Buffer.alloc(8)
    runs.begin(Buffer.from('a\r\nb\r\n.'))
    expect(runs.copy(0, into, 0)).toBe(4)
    expect(runs.taken).toBe(6)
    expect(into.toString('latin1', 0, 4)).toBe('a\nb\n')
  })

  test.each([
    ['text', [part, part, part, part]],
    ['text with what is not clean', [part, part, part, special]],
    ['nothing but that', [special]],
  ])('agree with the table on %s, wherever it is cut', (_, kinds) => {
    const text = fc.array(fc.oneof(...kinds), { maxLength: 60 }).map(bytesOf)
    const cuts = fc.array(fc.nat(2_000), { maxLength: 6 })
    fc.assert(fc.property(text, cuts, expectSame), { numRuns: 1_500 })
  })

  test('agree with the table on any bytes', () => {
    const bytes = fc.uint8Array({ maxLength: 400 }).map((each) => Buffer.from(each))
    fc.assert(
      fc.property(bytes, (each) => expectSame(each)),
      { numRuns: 500 },
    )
  })

  test.each([...Array.from({ length: 40 }, (_, at) => at - 20)])(
    'agree with the table on what stands %i octets from where a window ends',
    (off) => {
      for (const what of ['\r\n', '\r\n.x', '\r\n.\r\n', '\r', '\n', '\0', '\r\n..\r\n']) {
        const before = Buffer.alloc(32_768 + off, 'x')
        const after = Buffer.from(`${what}${'z'.repeat(40_000)}\r\n.\r\n`, 'latin1')
        expectSame(Buffer.concat([before, after]))
        expectSame(Buffer.concat([before, after]), [32_768, 65_536])
      }
    },
  )

  test.each(['x', '\r\n', '.', '..\r\n', '\r', '\n', '\0', 'ab\r\n', '.\r\r\n'])(
    'agree with the table on nothing but %j',
    (unit) => expectSame(Buffer.alloc(100_001, unit), [1, 40_000]),
  )

  test('know nothing of what another body left', () => {
    const runs = PlainRuns.make()
    const [one, two] = [new BodyParser(runs), new BodyParser(runs)]
    one.feed(Buffer.from(`${'a'.repeat(500)}\r\n`))
    expect(two.feed(Buffer.from('b')).content.toString()).toBe('b')
    expect(one.feed(Buffer.from('.\r\n')).done).toBe(true)
    expect(two.feed(Buffer.from('\r\n.\r\n')).content.toString()).toBe('\n')
  })
})
