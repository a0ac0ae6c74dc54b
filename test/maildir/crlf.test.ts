import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CrlfCounter, crlfInput, CrlfWriter, putWire, wireForm } from '../../maildir/crlf.js'

/** Bytes among which line ends are frequent, in pieces of any size. */
const pieces = fc.array(
  fc
    .array(fc.constantFrom(10, 13, 10, 13, 46, 97, 0, 255), { maxLength: 12 })
    .map((bytes) => Buffer.from(bytes)),
  { maxLength: 8 },
)

/** What a client gets: every line ends, the last one, too. */
function naive(bytes: Buffer): Buffer {
  const out: number[] = []
  for (const [at, byte] of bytes.entries()) {
    if (byte === 10 && bytes[at - 1] !== 13) out.push(13)
    out.push(byte)
  }
  if (bytes.length > 0 && bytes.at(-1) !== 10) out.push(13, 10)
  return Buffer.from(out)
}

/** Puts what is to be converted where it belongs. @returns how many octets */
const input = (bytes: Buffer): number => bytes.copy(crlfInput())

test('however the bytes are cut, the conversion is that of the whole', () => {
  fc.assert(
    fc.property(pieces, (chunks) => {
      const writer = new CrlfWriter()
      const expected = naive(Buffer.concat(chunks))
      const converted = chunks.map((chunk) => Buffer.from(writer.next(input(chunk))))
      const got = Buffer.concat(converted)
      const end = writer.end(expected.length - got.length)
      expect(Buffer.concat([got, end])).toEqual(expected)
      expect(wireForm(Buffer.concat(chunks), expected.length)).toEqual(expected)
    }),
    { numRuns: 2000 },
  )
})

test('the counter counts what the conversion gives', () => {
  fc.assert(
    fc.property(pieces, (chunks) => {
      const counter = new CrlfCounter()
      for (const chunk of chunks) counter.add(chunk)
      expect(counter.octets).toBe(naive(Buffer.concat(chunks)).length)
    }),
    { numRuns: 2000 },
  )
})

test('a size that does not count the missing end of the last line is kept to', () => {
  expect(wireForm(Buffer.from('a\nb'), 4)?.toString()).toBe('a\r\nb')
  expect(wireForm(Buffer.from('a\nb'), 5)).toBeNull()
})

test('a whole message fills its place exactly, or is not put there', () => {
  fc.assert(
    fc.property(pieces, fc.integer({ min: -2, max: 2 }), (chunks, off) => {
      const expected = naive(Buffer.concat(chunks))
      const size = Math.max(0, expected.length + off)
      const room = Buffer.alloc(size + 4, '#')
      const put = putWire(input(Buffer.concat(chunks)), room.subarray(2, 2 + size))
      // A name may tell a size that does not count a missing line end: that is what goes out then.
      const unended = Buffer.concat(chunks).at(-1) !== 10 && off === -2
      expect(put).toBe(size === expected.length || (unended && expected.length > 0))
      const sent = put ? expected.subarray(0, size) : Buffer.alloc(size, '#')
      expect(room).toEqual(Buffer.concat([Buffer.from('##'), sent, Buffer.from('##')]))
    }),
    { numRuns: 2000 },
  )
})
