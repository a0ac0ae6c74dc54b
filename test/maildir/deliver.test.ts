import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Delivery, list, NotAMaildir, WrongSize } from '../../maildir/maildir.js'
import { contentAt, filesIn, letter, maildirWith, temporaryDirectory } from './helpers.js'

describe('delivery', () => {
  test('puts one file with both sizes in its name into new, and leaves tmp empty', async () => {
    const box = maildirWith()
    const path = await new Delivery('mx.example').deliver(box, letter('Subject: x\n\nhello\n'))
    expect(filesIn(join(box, 'tmp'))).toEqual([])
    expect(filesIn(join(box, 'new'))).toEqual([path.slice(path.lastIndexOf('/') + 1)])
    expect(path).toMatch(/\/new\/\d+\.M\d+P\d+Q\d+R[0-9a-f]{8}\.mx\.example,S=18,W=21$/)
    expect(fs.readFileSync(path, 'latin1')).toBe('Subject: x\n\nhello\n')
    expect(fs.statSync(path).mode & 0o7777).toBe(0o600)
    expect(fs.statSync(path).nlink).toBe(1)
  })

  test('makes a missing Maildir for its owner alone, but not its parent', async () => {
    const parent = temporaryDirectory()
    const box = join(parent, 'box')
    await new Delivery('h').deliver(box, letter('x'))
    for (const folder of ['', 'tmp', 'new', 'cur']) {
      expect(fs.statSync(join(box, folder)).mode & 0o7777).toBe(0o700)
    }
    await expect(
      new Delivery('h').deliver(join(parent, 'no', 'box'), letter('x')),
    ).rejects.toMatchObject({ code: 'ENOENT' })
    expect(filesIn(parent)).toEqual(['box'])
  })

  test('makes a missing new as well', async () => {
    const box = maildirWith()
    fs.rmdirSync(join(box, 'new'))
    await new Delivery('h').deliver(box, letter('x'))
    expect(filesIn(join(box, 'new'))).toHaveLength(1)
    expect(filesIn(join(box, 'tmp'))).toEqual([])
  })

  test('fifty at once into a Maildir that is not there yet all arrive', async () => {
    const box = join(temporaryDirectory(), 'box')
    const delivery = new Delivery('h')
    const letters = Array.from({ length: 50 }, (_, i) => letter(`number ${i}\n`))
    await Promise.all(letters.map((one) => delivery.deliver(box, one)))
    const listing = await list(box)
    const contents = await Promise.all(listing.entries.map((_, at) => contentAt(listing, at)))
    expect(new Set(contents)).toEqual(
      new Set(Array.from({ length: 50 }, (_, i) => `number ${i}\r\n`)),
    )
    expect(filesIn(join(box, 'tmp'))).toEqual([])
  })

  test('content that comes in many pieces is written whole, in order', async () => {
    const box = maildirWith()
    const pieces = Array.from({ length: 3000 }, (_, i) =>
      Buffer.from(`${i}${'-'.repeat(i % 99)}\n`),
    )
    const whole = Buffer.concat(pieces)
    async function* later(): AsyncGenerator<Buffer, void, void> {
      for (const piece of pieces) yield piece
    }
    for (const open of [() => pieces, later]) {
      const path = await new Delivery('h').deliver(box, { size: whole.length, lines: 3000, open })
      expect(fs.readFileSync(path)).toEqual(whole)
    }
  })

  test.each([
    ['longer', 2],
    ['shorter', 9],
  ])('content %s than it said is refused and leaves nothing', async (_, size) => {
    const box = maildirWith()
    const lying = { size, lines: 0, open: () => [Buffer.from('12345')] }
    await expect(new Delivery('h').deliver(box, lying)).rejects.toThrow(WrongSize)
    expect([...filesIn(join(box, 'tmp')), ...filesIn(join(box, 'new'))]).toEqual([])
  })

  test.each(['new', 'tmp'])(
    'a %s that is a link to another Maildir gets nothing',
    async (folder) => {
      const box = maildirWith()
      const victim = maildirWith()
      fs.rmdirSync(join(box, folder))
      fs.symlinkSync(join(victim, folder), join(box, folder))
      await expect(new Delivery('h').deliver(box, letter('x'))).rejects.toThrow(NotAMaildir)
      for (const each of [box, victim]) {
        expect([...filesIn(join(each, 'tmp')), ...filesIn(join(each, 'new'))]).toEqual([])
      }
    },
  )

  test.each([
    ['a stream', true],
    ['large', false],
  ])('%s is not even begun where tmp or new leads elsewhere', async (_, streamed) => {
    const piece = Buffer.alloc(200_000, 'x')
    for (const folder of ['new', 'tmp']) {
      const box = maildirWith()
      const victim = temporaryDirectory()
      fs.rmdirSync(join(box, folder))
      fs.symlinkSync(victim, join(box, folder))
      const before = fs.lstatSync(victim, { bigint: true }).mtimeNs
      let begun = false
      async function* later(): AsyncGenerator<Buffer, void, void> {
        begun = true
        yield piece
      }
      const open = streamed ? later : () => [piece]
      const sent = new Delivery('h').deliver(box, { size: piece.length, lines: 0, open })
      await expect(sent).rejects.toThrow(NotAMaildir)
      expect(begun).toBe(false)
      // Not made and removed again, either.
      expect(fs.lstatSync(victim, { bigint: true }).mtimeNs).toBe(before)
    }
  })

  test('the directory that Maildirs lie in may be a symbolic link', async () => {
    const root = temporaryDirectory()
    fs.mkdirSync(join(root, 'big'))
    fs.symlinkSync('big', join(root, 'domain'))
    const box = join(root, 'domain', 'box')
    expect(await new Delivery('host').deliver(box, letter('x\n'))).toContain(`${box}/new/`)
    expect(fs.readdirSync(join(root, 'big', 'box')).toSorted()).toEqual(['cur', 'new', 'tmp'])
  })

  test('a Maildir that is a symbolic link gets nothing', async () => {
    const victim = maildirWith()
    const box = join(temporaryDirectory(), 'box')
    fs.symlinkSync(victim, box)
    await expect(new Delivery('h').deliver(box, letter('x'))).rejects.toThrow(NotAMaildir)
    expect([...filesIn(join(victim, 'tmp')), ...filesIn(join(victim, 'new'))]).toEqual([])
  })
})
