/** Reads text and lines of JSON out of bytes, within limits; and writes a long list as one JSON value. */
import { StringDecoder } from 'node:string_decoder'
import { print } from './terminal.js'

/** Characters of a line: an envelope with very many recipients is that long. */
const MAX_LINE = 64 * 1024 * 1024

/** @throws Error when there is more of it */
export async function textOf(bytes: AsyncIterable<Buffer>, maxOctets: number): Promise<string> {
  const pieces: Buffer[] = []
  let size = 0
  for await (const piece of bytes) {
    size += piece.length
    if (size > maxOctets) throw new Error(`the answer is longer than ${maxOctets} octets`)
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString()
}

/** Each line as the value that it stands for. @throws Error for what is no JSON, or endless */
export async function* linesOf(bytes: AsyncIterable<Buffer>): AsyncIterable<unknown> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const piece of bytes) {
    const lines = `${rest}${decoder.write(piece)}`.split('\n')
    rest = lines.pop()!
    if (rest.length > MAX_LINE) throw new Error('the answer has an endless line')
    for (const line of lines) yield JSON.parse(line)
  }
}

/** Prints an array, an element at a time: there may be more of them than memory. */
export async function printList(values: AsyncIterable<unknown>): Promise<void> {
  let before = '['
  for await (const value of values) {
    print(`${before}\n${indented(value)}`)
    before = ','
  }
  print(before === '[' ? '[]\n' : '\n]\n')
}

const indented = (value: unknown): string =>
  `  ${JSON.stringify(value, null, 2).replaceAll('\n', '\n  ')}`
