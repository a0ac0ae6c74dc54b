import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { quoted, separator } from '../../src/courier/mbox-bytes.js'
import { addressOf } from '../helpers/mail-world.js'

async function written(...chunks: readonly Buffer[]): Promise<string> {
  const all = Buffer.concat(chunks)
  const pieces: Buffer[] = []
  for await (const piece of quoted({ size: all.length, lines: 0, open: () => chunks }))
    pieces.push(piece)
  return Buffer.concat(pieces).toString('latin1')
}

const line = (text: string): Buffer => Buffer.from(text, 'latin1')

describe('a message in an mbox', () => {
  it.each([
    ['', '\n'],
    ['a\n', 'a\n\n'],
    ['a', 'a\n\n'],
    ['From x\n', '>From x\n\n'],
    ['a\n\nFrom x\nb\n', 'a\n\n>From x\nb\n\n'],
    ['>From x\n>>From y\n', '>>From x\n>>>From y\n\n'],
    ['Fromage\nfrom x\n From x\nFrom\n', 'Fromage\nfrom x\n From x\nFrom\n\n'],
    ['> From x\n>Fro', '> From x\n>Fro\n\n'],
    ['>>', '>>\n\n'],
    ['F', 'F\n\n'],
    ['From ', '>From \n\n'],
  ])('%j stands there as %j', async (text, expected) => {
    expect(await written(line(text))).toBe(expected)
  })

  it('stands there the same however it came in pieces', async () => {
    const part = fc.constantFrom(
      'From ',
      '>',
      'F',
      'ro',
      'm ',
      '\n',
      'x',
      ' ',
      '>From ',
      '\nFrom x\n',
    )
    await fc.assert(
      fc.asyncProperty(fc.array(part), fc.array(fc.nat(40)), async (parts, cuts) => {
        const whole = line(parts.join(''))
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted(
          (a, b) => a - b,
        )
        const chunks = at.slice(1).map((end, n) => whole.subarray(at[n], end))
        const expected = whole.toString('latin1').replace(/^>*From /gm, (found) => `>${found}`)
        const end = whole.length === 0 || whole.at(-1) === 10 ? '\n' : '\n\n'
        expect(await written(...chunks)).toBe(expected + end)
      }),
      { numRuns: 500 },
    )
  })

  it('takes a line of nothing but ">" in one go', async () => {
    const marks = Buffer.alloc(65_536, '>')
    const many = Array<Buffer>(200).fill(marks)
    expect((await written(...many, line('From x\n'))).length).toBe(200 * 65_536 + 9)
  })

  it('begins with who sent it and when', () => {
    const when = new Date(Date.UTC(2026, 0, 2, 3, 4, 5))
    expect(separator(addressOf('joe@far.example'), when).toString()).toBe(
      'From joe@far.example Fri Jan  2 03:04:05 2026\n',
    )
    expect(separator(null, when).toString()).toMatch(/^From MAILER-DAEMON Fri/)
    expect(separator(addressOf('"a b"@far.example'), when).toString()).toMatch(
      /^From "a_b"@far\.example Fri/,
    )
  })
})
