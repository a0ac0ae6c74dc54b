import { fstatSync, mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { inMemory, type Message } from '../../src/mail/message.js'
import { MemoryPool } from '../../src/smtp/memory-share.js'
import { Intake } from '../../src/smtp/intake.js'

const directory = mkdtempSync(join(tmpdir(), 'intake-'))

async function content(message: Message): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of message.open()) chunks.push(chunk)
  return Buffer.concat(chunks)
}

describe('Intake', () => {
  test('gives back what came in, small or large, as often as it is asked', async () => {
    const piece = fc.integer({ min: 0, max: 400_000 })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 8 }), async (sizes) => {
        const intake = new Intake(directory)
        const pieces = sizes.map((size, at) => Buffer.alloc(size, `line ${at}\n`))
        const lines = (bytes: Buffer): number => bytes.filter((byte) => byte === 10).length
        for (const [at, each] of pieces.entries()) {
          const room = intake.room(each.length + 7)
          each.copy(room)
          await intake.add(at % 3 === 2 ? each : room.subarray(0, each.length), lines(each))
        }
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

  test('keeps what is not large in memory, and leaves no name for what is', async () => {
    for (const [octets, stays] of [
      [60_000, true],
      [1_000_000, true],
      [1_100_000, false],
    ] as const) {
      const intake = new Intake(directory)
      await intake.add(Buffer.alloc(octets), 0)
      const message = await intake.finish(Buffer.alloc(0), 0)
      expect(readdirSync(directory)).toEqual([])
      expect([inMemory(message.open()), message.filed === undefined]).toEqual([stays, stays])
      await intake.discard()
    }
  })

  test('takes no more memory for all together than there is, and gives it back', async () => {
    const pool = new MemoryPool(1_000_000)
    const intakes = Array.from({ length: 5 }, () => new Intake(directory, pool))
    for (const intake of intakes) {
      for (let at = 0; at < 4; at++) await intake.add(Buffer.alloc(100_000, 'x'), 0)
    }
    const messages = await Promise.all(intakes.map((each) => each.finish(Buffer.from('H\n'), 1)))
    const stayed = messages.map((message) => inMemory(message.open()))
    expect(stayed).toEqual([true, true, false, false, false])
    for (const message of messages) expect((await content(message)).length).toBe(400_002)
    expect(pool.take(200_001)).toBe(false)
    for (const intake of intakes) await intake.discard()
    expect(pool.take(1_000_000)).toBe(true)
  })

  test('lends its file only as long as it is open, and keeps it open as long as it is lent', async () => {
    const intake = new Intake(directory)
    await intake.add(Buffer.alloc(1_100_000, 'x'), 0)
    const { filed } = await intake.finish(Buffer.from('H\n'), 1)
    let done = (): void => {}
    const lent = filed!.use(async (fd) => {
      await new Promise<void>((resolve) => (done = resolve))
      return fstatSync(fd).size
    })
    await intake.discard()
    await expect(filed!.use(async () => 1)).rejects.toThrow('closed')
    done()
    expect(await lent).toBe(1_100_000)
  })

  test('tells what the disk said, at the next step or at the end', async () => {
    const nowhere = new Intake(join(directory, 'missing'))
    await nowhere.add(Buffer.alloc(1_100_000), 0)
    await expect(nowhere.finish(Buffer.alloc(0), 0)).rejects.toThrow('ENOENT')
    await nowhere.discard()
    const again = new Intake(join(directory, 'missing'))
    await again.add(Buffer.alloc(1_100_000), 0)
    await expect(again.add(Buffer.alloc(300_000), 0)).rejects.toThrow('ENOENT')
    await again.discard()
  })

  test('takes a body that comes byte by byte', async () => {
    const intake = new Intake(directory)
    for (let at = 0; at < 50_000; at++) await intake.add(Buffer.from([at % 256]), 0)
    const message = await intake.finish(Buffer.alloc(0), 0)
    const expected = Buffer.from(Array.from({ length: 50_000 }, (_, at) => at % 256))
    expect((await content(message)).equals(expected)).toBe(true)
  })
})
