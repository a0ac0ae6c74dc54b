import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { wireData } from '../../src/transport/wire-data.js'

describe('a message on the wire', () => {
  const sent = async (chunks: readonly Buffer[]): Promise<string> => {
    const pieces: Buffer[] = []
    for await (const piece of wireData(chunks)) pieces.push(piece)
    return Buffer.concat(pieces).toString('latin1')
  }

  it('is the same however it came in pieces, and has one end', async () => {
    const part = fc.constantFrom('.', '\n', 'x', '\n.', '\n.\n', '..')
    await fc.assert(
      fc.asyncProperty(fc.array(part), fc.array(fc.nat(20)), async (parts, cuts) => {
        const whole = Buffer.from(parts.join(''))
        const at = [0, ...cuts.map((cut) => Math.min(cut, whole.length)), whole.length].toSorted(
          (a, b) => a - b,
        )
        const wire = await sent(at.slice(1).map((end, n) => whole.subarray(at[n], end)))
        const lines = whole.length === 0 ? [] : whole.toString().replace(/\n$/, '').split('\n')
        const expected = lines.map((line) => (line.startsWith('.') ? `.${line}` : line))
        expect(wire).toBe([...expected, '.', ''].join('\r\n'))
      }),
      { numRuns: 300 },
    )
  })
})
