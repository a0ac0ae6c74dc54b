import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { list, NotAMaildir, remove } from '../../maildir/maildir.js'
import { filesIn, maildirWith } from './helpers.js'

const three = { 'new/1.a.h': 'x', 'new/2.b.h': 'y', 'cur/3.c.h:2,S': 'z' }

test('removes what was asked for and nothing else', async () => {
  const box = maildirWith({ ...three, 'tmp/1.a.h': 'another writes this' })
  const listing = await list(box)
  expect(await remove(listing, [listing.entries[0]!, listing.entries[2]!])).toMatchObject({
    left: 0,
  })
  expect(filesIn(join(box, 'new'))).toEqual(['2.b.h'])
  expect(filesIn(join(box, 'cur'))).toEqual([])
  expect(filesIn(join(box, 'tmp'))).toEqual(['1.a.h'])
})

test('follows a message that was moved, and takes a vanished one for removed', async () => {
  const box = maildirWith(three)
  const listing = await list(box)
  fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h:2,RS'))
  fs.unlinkSync(join(box, 'new/2.b.h'))
  expect(await remove(listing, listing.entries)).toMatchObject({ left: 0 })
  expect(filesIn(join(box, 'cur'))).toEqual([])
})

test('a message in new and in cur does not come back', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x', 'cur/1.a.h:2,S': 'x' })
  const listing = await list(box)
  await remove(listing, listing.entries)
  expect((await list(box)).entries).toEqual([])
})

test('says how many are left and why, and removes the others', async () => {
  const box = maildirWith({ ...three })
  // A directory can not be unlinked, whoever tries.
  fs.mkdirSync(join(box, 'new/4.d.h,W=1'))
  const listing = await list(box)
  const removal = await remove(listing, listing.entries)
  expect(removal).toMatchObject({
    left: 1,
    cause: { message: expect.stringMatching(/unlink .*4\.d\.h/) },
  })
  expect(filesIn(join(box, 'new'))).toEqual(['4.d.h,W=1'])
})

test('a directory swapped for a link does not reach into another Maildir', async () => {
  const box = maildirWith(three)
  const victim = maildirWith(three)
  const listing = await list(box)
  fs.rmSync(join(box, 'new'), { recursive: true })
  fs.symlinkSync(join(victim, 'new'), join(box, 'new'))
  await expect(remove(listing, listing.entries)).rejects.toThrow(NotAMaildir)
  expect(filesIn(join(victim, 'new'))).toEqual(['1.a.h', '2.b.h'])
})
