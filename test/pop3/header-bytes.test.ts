import fc from 'fast-check'
import { expect, test } from 'vitest'
import { headerBeyondAscii } from '../../src/pop3/header-bytes.js'
import { chunked, content, later } from './streams.js'

/** Everything before the first line that is empty, line by line. */
function header(bytes: Buffer): string {
  const lines = bytes.toString('latin1').split(/(?<=\n)/)
  const end = lines.findIndex((line) => line === '\n' || line === '\r\n')
  return lines.slice(0, end === -1 ? lines.length : end).join('')
}

test('octets beyond ASCII are found in the header alone, however the message is cut', async () => {
  await fc.assert(
    fc.asyncProperty(content, fc.array(fc.nat(10)), async (bytes, cuts) => {
      const expected = /[\x80-\xff]/.test(header(bytes))
      const chunks = chunked(bytes, cuts)
      expect(await headerBeyondAscii(chunks)).toBe(expected)
      expect(await headerBeyondAscii(later(chunks))).toBe(expected)
    }),
    { numRuns: 2000 },
  )
})

test('a body is not looked at', async () => {
  function* message(): Generator<Buffer> {
    yield Buffer.from('Subject: x\r\n\r')
    yield Buffer.from('\nbody')
    throw new Error('read on')
  }
  expect(await headerBeyondAscii(message())).toBe(false)
  expect(await headerBeyondAscii(later(message()))).toBe(false)
})
