import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { Delivery, list, NotAMaildir, remove } from '../../maildir/maildir.js'
import { NotShared, shareNow } from '../../maildir/share.js'
import { contentAt, filesIn, letter, maildirWith, temporaryDirectory } from './helpers.js'
import { maildirOn, smallDisk } from './disks.js'

const boxesOf = (count: number): string[] => Array.from({ length: count }, () => maildirWith())
const inode = (path: string | Error): number => fs.statSync(path as string).ino

describe('a letter for many', () => {
  test.each([
    ['small', 'Subject: x\n\nhello\n'],
    ['large', `Subject: x\n\n${'y'.repeat(300_000)}\n`],
  ])(
    'a %s one is one file with a name in each Maildir, and tmp is empty everywhere',
    async (_, text) => {
      const boxes = boxesOf(50)
      const paths = await new Delivery('h').deliverAll(boxes, letter(text))
      expect(new Set(paths.map(inode)).size).toBe(1)
      expect(new Set(paths).size).toBe(50)
      for (const [at, box] of boxes.entries()) {
        expect(filesIn(join(box, 'tmp'))).toEqual([])
        expect(join(box, 'new', filesIn(join(box, 'new'))[0]!)).toBe(paths[at])
      }
      expect(fs.readFileSync(paths[49] as string, 'latin1')).toBe(text)
    },
  )

  test('who removes the message takes it from nobody else', async () => {
    const [one, two] = boxesOf(2) as [string, string]
    await new Delivery('h').deliverAll([one, two], letter('Subject: x\n\nhello\n'))
    const listing = await list(one)
    await remove(listing, listing.entries, false)
    expect(filesIn(join(one, 'new'))).toEqual([])
    expect(await contentAt(await list(two), 0)).toBe('Subject: x\r\n\r\nhello\r\n')
  })

  test('a Maildir on another disk gets a copy', async ({ skip }) => {
    const disk = smallDisk()
    if (disk === null) return skip('only root may mount a disk')
    const there = maildirOn(disk)
    const here = maildirWith()
    const [one, two] = await new Delivery('h').deliverAll([here, there], letter('x\n'))
    expect(fs.readFileSync(one as string, 'utf8')).toBe('x\n')
    expect(fs.readFileSync(two as string, 'utf8')).toBe('x\n')
    expect(fs.statSync(two as string).nlink).toBe(1)
  })

  test('one Maildir that cannot be written to, first or last, is alone with its error', async () => {
    const linked = join(temporaryDirectory(), 'box')
    fs.symlinkSync(maildirWith(), linked)
    for (const order of [
      [linked, ...boxesOf(2)],
      [...boxesOf(2), linked],
    ]) {
      const results = await new Delivery('h').deliverAll(order, letter('x\n'))
      const at = order.indexOf(linked)
      expect(results[at]).toBeInstanceOf(NotAMaildir)
      expect(results.filter((result) => typeof result === 'string')).toHaveLength(2)
    }
  })

  test('who owns his Maildir himself gets a copy, and everybody can read his own', async ({
    skip,
  }) => {
    if (process.getuid?.() !== 0) return skip('only root may give a Maildir away')
    for (const place of [0, 1, 2]) {
      const boxes = boxesOf(3)
      fs.chownSync(boxes[place]!, 1234, 1234)
      const paths = await new Delivery('h').deliverAll(boxes, letter('x\n'))
      expect(paths.every((path) => typeof path === 'string')).toBe(true)
      for (const box of boxes) expect(await contentAt(await list(box), 0)).toBe('x\r\n')
    }
  })

  test('what the owner of the first Maildir put in the place of the message reaches nobody', () => {
    const [one, two] = boxesOf(2) as [string, string]
    const name = '1.M1P1Q1R00000000.h,S=2,W=3'
    fs.symlinkSync('/etc/passwd', join(one, 'new', 'link'))
    fs.writeFileSync(join(one, 'new', 'other'), 'longer\n')
    for (const source of ['link', 'other']) {
      expect(() => shareNow(join(one, 'new', source), two, name)).toThrow(NotShared)
      expect(filesIn(join(two, 'new'))).toEqual([])
    }
  })

  test('missing Maildirs are made', async () => {
    const parent = temporaryDirectory()
    const boxes = ['a', 'b', 'c'].map((name) => join(parent, name))
    const paths = await new Delivery('h').deliverAll(boxes, letter('x\n'))
    for (const path of paths) expect(fs.readFileSync(path as string, 'utf8')).toBe('x\n')
  })

  test('nobody at all gets nothing', async () => {
    expect(await new Delivery('h').deliverAll([], letter('x\n'))).toEqual([])
  })
})
