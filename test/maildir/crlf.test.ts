import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CrlfCounter, CrlfWriter } from '../../maildir/crlf.js'

/** Bytes among which line ends are frequent, in pieces of any size. */
const pieces = fc.array(
  fc
    .array(fc.constantFrom(10, 13, 10, 13, 46, 97, 0, 255), { maxLength: 12 })
    .map((bytes) => Buffer.from(bytes)),
  { maxLength: 8 },
)

function naive(bytes: Buffer): Buffer {
  const out: number[] = []
  for (const [at, byte] of bytes.entries()) {
    if (byte === 10 && bytes[at - 1] !== 13) out.push(13)
    out.push(byte)
  }
  return Buffer.from(out)
}

test('however the bytes are cut, the conversion is that of the whole', () => {
  fc.assert(
    fc.property(pieces, (chunks) => {
      const writer = new CrlfWriter()
      const got = Buffer.concat(chunks.map((chunk) => writer.convert(chunk)))
      expect(got).toEqual(naive(Buffer.concat(chunks)))
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
