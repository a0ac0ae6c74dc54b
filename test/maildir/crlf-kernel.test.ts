import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CHUNK, makeKernel, stringKernel } from '../../maildir/crlf-kernel.js'

const KERNELS = { 'the fast one': makeKernel(), 'the one of strings': stringKernel() }

/** Octets among which line ends are frequent here and rare there: blocks without, and with many. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('\n', '\r\n', '\r', '\n\n', '\r\r\n', '.', '\0', '\u00ff'),
      fc.integer({ min: 1, max: 40 }).map((times) => 'x'.repeat(times)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.from(parts.join(''), 'latin1'))

function naive(bytes: Buffer, before: number): Buffer {
  const out: number[] = []
  for (const [at, byte] of bytes.entries()) {
    if (byte === 10 && (at === 0 ? before : bytes[at - 1]) !== 13) out.push(13)
    out.push(byte)
  }
  return Buffer.from(out)
}

for (const [name, kernel] of Object.entries(KERNELS)) {
  test(`${name} puts a CR before each LF that has none`, () => {
    fc.assert(
      fc.property(text, fc.constantFrom(0, 10, 13, 97), (bytes, before) => {
        // What lies behind it from another time is not looked at.
        kernel.input.fill('\n', 0, bytes.length + 64)
        bytes.copy(kernel.input)
        expect(kernel.expand(bytes.length, before)).toEqual(naive(bytes, before))
      }),
      { numRuns: 2000 },
    )
  })

  test.each(['\n', '\r\n', 'x', 'line\n'])(`${name} has room for a whole chunk of %j`, (line) => {
    const bytes = Buffer.alloc(CHUNK, line)
    bytes.copy(kernel.input)
    expect(kernel.expand(CHUNK, 0).equals(naive(bytes, 0))).toBe(true)
    // It was left as it is, to the last octet.
    expect(kernel.input.equals(bytes)).toBe(true)
  })
}

test('the fast one is WebAssembly here', () => {
  const { input } = KERNELS['the fast one']
  const { expand } = makeKernel()
  expect(input.buffer).not.toBe(makeKernel().input.buffer)
  // The other way makes memory anew each time.
  expect(expand(1, 0).buffer).toBe(expand(1, 0).buffer)
})
