/** Maildirs that somebody logs in to again and again: what changed there is seen all the same. */
import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { indexPath } from '../../maildir/index-file.js'
import { KeptListings } from '../../maildir/kept-listings.js'
import { listNow } from '../../maildir/list-now.js'
import { list, type Listing, NotAMaildir, WrongSize } from '../../maildir/maildir.js'
import { contentAt, filesIn, maildirWith } from './helpers.js'

const A = '1.a.h,S=2,W=3'
const FILES = { [`new/${A}`]: 'x\n', 'cur/2.b.h,S=2,W=3:2,S': 'y\n' }

/** Lists until nothing is read any more. */
async function kept(box: string): Promise<Listing> {
  let last = await list(box)
  const again = async (): Promise<boolean> => {
    const before = last
    last = await list(box)
    return last.entries === before.entries
  }
  await expect.poll(again).toBe(true)
  return last
}

const told = ({ entries }: Listing): unknown =>
  entries.map(({ uid, size, places }) => [uid, size, places[0]])

test('a Maildir in which nothing changes is read no more, and serves its messages', async () => {
  const box = maildirWith(FILES)
  const [one, other] = [await kept(box), await kept(box)]
  expect(told(one)).toEqual([
    ['1.a.h', 3, `new/${A}`],
    ['2.b.h', 3, 'cur/2.b.h,S=2,W=3:2,S'],
  ])
  expect(await contentAt(one, 0)).toBe('x\r\n')
  expect(await contentAt(other, 1)).toBe('y\r\n')
  expect(filesIn(join(box, 'tmp'))).toEqual([])
})

const changes: Readonly<Record<string, [(box: string) => void, readonly string[]]>> = {
  'a new message': [
    (box) => fs.writeFileSync(join(box, 'new/3.c.h,S=1,W=2'), '\n'),
    ['1.a.h', '2.b.h', '3.c.h'],
  ],
  'a message that is gone': [(box) => fs.unlinkSync(join(box, 'new', A)), ['2.b.h']],
  'an empty `cur` in place of the other': [
    (box) => {
      fs.renameSync(join(box, 'cur'), join(box, 'old'))
      fs.mkdirSync(join(box, 'cur'))
    },
    ['1.a.h'],
  ],
  'an id that was taken over': [
    (box) => fs.writeFileSync(join(box, 'mailtap-uidl'), 'mailtap-uidl 1\n2.b.h known\n'),
    ['known', '1.a.h'],
  ],
}

test.each(Object.entries(changes))('%s is seen at once', async (_, [change, uids]) => {
  const box = maildirWith(FILES)
  await kept(box)
  change(box)
  expect((await list(box)).entries.map(({ uid }) => uid)).toEqual(uids)
})

test('flags that another program set do not keep a message from being read', async () => {
  const box = maildirWith(FILES)
  const before = await kept(box)
  fs.renameSync(join(box, 'new', A), join(box, 'cur', `${A}:2,F`))
  expect(await contentAt(before, 0)).toBe('x\r\n')
  expect(told(await list(box))).toEqual([
    ['1.a.h', 3, `cur/${A}:2,F`],
    ['2.b.h', 3, 'cur/2.b.h,S=2,W=3:2,S'],
  ])
})

test('what is no Maildir any more, or gone, is said to be so', async () => {
  const box = maildirWith(FILES)
  await kept(box)
  fs.renameSync(join(box, 'new'), join(box, 'real'))
  fs.symlinkSync('real', join(box, 'new'))
  await expect(list(box)).rejects.toThrow(NotAMaildir)
  fs.rmSync(box, { recursive: true })
  await expect(list(box)).rejects.toThrow('ENOENT')
})

test('a size that proves wrong is put right for the next who lists the Maildir', async () => {
  const box = maildirWith({ 'new/1.a.h,W=5': 'x\n' })
  const first = await kept(box)
  await expect(contentAt(first, 0)).rejects.toThrow(WrongSize)
  const next = await list(box)
  expect(next.entries.map(({ size }) => size)).toEqual([3])
  expect(await contentAt(next, 0)).toBe('x\r\n')
})

test('with an index it is as true as that: another process may know better', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x\n' })
  await kept(box)
  fs.writeFileSync(join(box, 'new/1.a.h'), 'longer\n')
  expect((await list(box)).entries.map(({ size }) => size)).toEqual([3])
  fs.unlinkSync(indexPath(box))
  expect((await list(box)).entries.map(({ size }) => size)).toEqual([8])
})

test('how long a listing will be true is told to who wants to know, and where it can be told', async () => {
  const box = maildirWith(FILES)
  await kept(box)
  expect(listNow(box, true).lasting).not.toBeNull()
  expect(listNow(box).lasting).toBeNull()
  // Nobody can ask the clock of the file system any more.
  fs.rmdirSync(join(box, 'tmp'))
  expect(listNow(box, true).lasting).toBeNull()
})

test('those that nobody asked for the longest go when there is too much', async () => {
  const box = maildirWith(FILES)
  await kept(box)
  const listings = new KeptListings()
  const { owner, lasting } = listNow(box, true)
  const put = (path: string): void => {
    listings.ask(path)
    listings.put(path, { owner, entries: [], lasting: lasting! }, 64 * 1024)
  }
  put(box)
  expect(listings.get(box)).not.toBeNull()
  for (let n = 0; n < 255; n++) put(`/nowhere/${n}`)
  expect(listings.get(box)).not.toBeNull()
  for (let n = 0; n < 256; n++) put(`/elsewhere/${n}`)
  expect(listings.get(box)).toBeNull()
})

test('a large listing is not kept', async () => {
  const box = maildirWith(FILES)
  await kept(box)
  const listings = new KeptListings()
  const { owner, lasting } = listNow(box, true)
  listings.ask(box)
  listings.put(box, { owner, entries: [], lasting: lasting! }, 64 * 1024 + 1)
  expect(listings.get(box)).toBeNull()
})
