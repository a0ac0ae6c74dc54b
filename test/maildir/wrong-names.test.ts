/** Names that tell a wrong size: at the latest the second login gets the message. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { list, read, WrongSize } from '../../maildir/maildir.js'
import { contentAt, maildirWith, textOf } from './helpers.js'

const LINE = `${'x'.repeat(99)}\n`
/** More than is read in one piece. */
const LARGE = LINE.repeat(900)
const wire = (text: string): string => text.replaceAll('\n', '\r\n')

test.each([
  ['small, W= too small', 'W=5', LINE],
  ['small, W= too large', 'W=500', LINE],
  ['small, but W= is large', 'W=90001', LINE],
  ['large, but W= is small', 'W=5', LARGE],
  ['large, W= less than is in the file', `W=${LARGE.length - 11}`, LARGE],
  ['large, W= without the line ends', `S=${LARGE.length},W=${LARGE.length}`, LARGE],
  ['large, W= with too many line ends', `S=${LARGE.length},W=${LARGE.length + 901}`, LARGE],
  ['large, W= more than any line ends can make', `W=${LARGE.length * 3}`, LARGE],
  ['large, both wrong', `S=${LARGE.length - 1},W=${LARGE.length + 899}`, LARGE],
])('a message that is %s', async (_, sizes, text) => {
  const box = maildirWith({ [`cur/1.a.h,${sizes}:2,S`]: text, 'new/2.b.h,S=1,W=2': '\n' })
  const first = await list(box)
  await expect(contentAt(first, 0)).rejects.toThrow(WrongSize)
  // Whatever else changes, and for all logins to come.
  fs.renameSync(join(box, `cur/1.a.h,${sizes}:2,S`), join(box, `cur/1.a.h,${sizes}:2,FS`))
  for (let login = 2; login < 5; login++) {
    const again = await list(box)
    expect(again.entries.map(({ uid, size }) => [uid, size])).toEqual([
      ['1.a.h', wire(text).length],
      ['2.b.h', 2],
    ])
    expect((await contentAt(again, 0)) === wire(text)).toBe(true)
    expect(await contentAt(again, 1)).toBe('\r\n')
    fs.writeFileSync(join(box, `cur/${login}0.x.h,S=0,W=0:2,`), '')
    fs.unlinkSync(join(box, `cur/${login}0.x.h,S=0,W=0:2,`))
  }
})

test.each([
  ['too small', `W=${LARGE.length - 11}`],
  ['too large', `W=${LARGE.length * 3}`],
  ['wrong, as S= is', `S=${LARGE.length + 7},W=${LARGE.length + 907}`],
])('nothing is promised of a large message if W= can be seen to be %s', async (_, sizes) => {
  const box = maildirWith({ [`new/1.a.h,${sizes}`]: LARGE })
  const listing = await list(box)
  await expect(read(listing, listing.entries[0]!)).rejects.toThrow(WrongSize)
})

test('a large message of which only S= is wrong is served at once', async () => {
  const sizes = `S=${LARGE.length + 7},W=${wire(LARGE).length}`
  const box = maildirWith({ [`new/1.a.h,${sizes}`]: LARGE })
  const listing = await list(box)
  const content = await read(listing, listing.entries[0]!)
  expect((await textOf(content)) === wire(LARGE)).toBe(true)
})

test('many that prove wrong one after the other are all known afterwards', async () => {
  const files = Array.from({ length: 50 }, (_, n) => [`new/${n + 1}.a.h,W=${n}`, LINE] as const)
  const box = maildirWith(Object.fromEntries(files))
  const first = await list(box)
  for (let at = 0; at < 50; at++) await expect(contentAt(first, at)).rejects.toThrow(WrongSize)
  const second = await list(box)
  for (let at = 0; at < 50; at++) expect(await contentAt(second, at)).toBe(wire(LINE))
})
