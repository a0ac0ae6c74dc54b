import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inMemory, type Message } from '../../src/mail/message.js'
import { Intake } from '../../src/smtp/intake.js'

const directory = mkdtempSync(join(tmpdir(), 'intake-'))

async function content(message: Message): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('Intake', () => {
  test('gives back what came in, small or large, as often as it is asked', async () => {
    const piece = fc.integer({ min: 0, max: 100_000 })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (sizes) => {
        const intake = new Intake(directory)
        const pieces = sizes.map((size, at) => Buffer.alloc(size, `line ${at}\n`))
        const lines = (bytes: Buffer): number => bytes.filter((byte) => byte === 10).length
        for (const each of pieces) await intake.add(each, lines(each))
        const all = Buffer.concat([Buffer.from('H: 1\n'), ...pieces])
        expect(intake.wireSize).toBe(all.length - 5 + lines(all) - 1)
        const message = await intake.finish(Buffer.from('H: 1\n'), 1)
        expect(message).toMatchObject({ size: all.length, lines: lines(all) })
        expect((await content(message)).equals(all)).toBe(true)
        expect((await content(message)).equals(all)).toBe(true)
        await intake.discard()
      }),
      { numRuns: 50 },
    )
  })

  test('keeps a small message in memory and leaves no name for a large one', async () => {
    const small = new Intake(directory)
    await small.add(Buffer.alloc(60_000), 0)
    expect(inMemory((await small.finish(Buffer.alloc(0), 0)).open())).toBe(true)
    const large = new Intake(directory)
    await large.add(Buffer.alloc(70_000), 0)
    expect(readdirSync(directory)).toEqual([])
    expect(inMemory((await large.finish(Buffer.alloc(0), 0)).open())).toBe(false)
    await large.discard()
  })

  test('takes a body that comes byte by byte', async () => {
    const intake = new Intake(directory)
    for (let at = 0; at < 5000; at++) await intake.add(Buffer.from([at % 256]), 0)
    const message = await intake.finish(Buffer.alloc(0), 0)
    const expected = Buffer.from(Array.from({ length: 5000 }, (_, at) => at % 256))
    expect((await content(message)).equals(expected)).toBe(true)
  })
})
