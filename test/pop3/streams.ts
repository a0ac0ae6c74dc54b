/** Content for tests of streams: full of dots and line ends, cut anywhere, now or later. */
import fc from 'fast-check'
import type { Bytes } from '../../src/mail/message.js'

const pieces = [
  '.',
  '..',
  '\r\n',
  '\n',
  '\r',
  '\r\n.\r\n',
  'a',
  'Subject: x',
  '\0',
  '\r\n\r\n',
  'é',
]

/** Half of it any bytes, half of it what is hard. */
export const content = fc.oneof(
  fc.array(fc.constantFrom(...pieces), { maxLength: 30 }).map((all) => Buffer.from(all.join(''))),
  fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)),
)

/** @param cuts sizes of the chunks, some of them empty; the rest is the last one */
export function chunked(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let at = 0
  for (const size of cuts) {
    chunks.push(bytes.subarray(at, at + size))
    at += size
  }
  return [...chunks, bytes.subarray(at)]
}

export async function* later(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
  yield* chunks
}

export async function collect(bytes: Bytes): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of bytes) chunks.push(chunk)
  return Buffer.concat(chunks)
}

/** What a client makes of a multi-line response; the line end that the server had to add is taken off again. */
export function unstuff(response: Buffer, original: Buffer): Buffer {
  const text = response.toString('latin1')
  if (!text.endsWith('.\r\n')) throw new Error('no end')
  const plain = text.slice(0, -3).replace(/(^|\n)\./g, '$1')
  const added = original.length > 0 && !original.subarray(-2).equals(Buffer.from('\r\n'))
  return Buffer.from(added ? plain.slice(0, -2) : plain, 'latin1')
}
