import fs from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { inspect, repair } from '../../maildir/inspect.js'
import { writeKeptUids } from '../../maildir/kept-uids.js'
import { list } from '../../maildir/maildir.js'
import { filesIn, maildirWith } from './helpers.js'

const HOURS = 3_600

test('a Maildir in order has no faults', async () => {
  expect(
    await inspect(maildirWith({ 'new/1.a.h,S=2,W=3': 'a\n', 'cur/2.b.h,S=3,W=3:2,S': 'b\r\n' })),
  ).toEqual([])
})

test('finds sizes that are missing or wrong and puts them right, ids unchanged', async () => {
  const box = maildirWith({
    'new/1.a.h': 'a\n',
    'cur/2.b.h,S=9,W=3:2,S': 'b\n',
    'cur/3.c.h,W=9:2,': 'c\n',
    'cur/4.d.h,S=2,W=3:2,': 'd\n',
  })
  const before = (await list(box)).entries.map(({ uid }) => uid)
  const found = await inspect(box)
  expect(found.map(({ kind, place }) => [kind, place])).toEqual([
    ['size missing', 'new/1.a.h'],
    ['size wrong', 'cur/2.b.h,S=9,W=3:2,S'],
    ['size wrong', 'cur/3.c.h,W=9:2,'],
  ])
  expect(await repair(box, found)).toBe(3)
  expect(await inspect(box)).toEqual([])
  expect(filesIn(join(box, 'cur'))).toEqual([
    '2.b.h,S=2,W=3:2,S',
    '3.c.h,S=2,W=3:2,',
    '4.d.h,S=2,W=3:2,',
  ])
  expect((await list(box)).entries.map(({ uid, size }) => [uid, size])).toEqual(
    before.map((uid) => [uid, 3]),
  )
})

test('leaves a name alone that an id hangs on', async () => {
  const box = maildirWith({ 'new/1.a.h,S=5': 'a\n', 'new/1.a.h,S=6': 'aa\n', 'new/2.b.h': 'b\n' })
  fs.writeFileSync(join(box, 'new/2.b.h,x'), 'c\n')
  await writeKeptUids(box, new Map([['1.a.h,S=5', 'kept']]))
  const before = (await list(box)).entries.map(({ uid }) => uid)
  const found = await inspect(box)
  expect(found).toHaveLength(4)
  expect(found.every(({ what }) => what.includes('its id'))).toBe(true)
  expect(await repair(box, found)).toBe(0)
  expect((await list(box)).entries.map(({ uid }) => uid)).toEqual(before)
})

test('leaves the name of a message whose twin was removed', async () => {
  const box = maildirWith({ 'new/1.a.h': 'a\n', 'new/1.a.h,x': 'b\n' })
  await list(box)
  fs.unlinkSync(join(box, 'new/1.a.h'))
  const before = (await list(box)).entries.map(({ uid }) => uid)
  await repair(box, await inspect(box))
  expect(filesIn(join(box, 'new'))).toEqual(['1.a.h,x'])
  expect((await list(box)).entries.map(({ uid }) => uid)).toEqual(before)
})

test.each([
  ['too long', `1.${'l'.repeat(80)}`],
  ['with a space', '2.with space'],
  ['that can come back', 'msg.ab1'],
  ['that can come back and with a space', '5 b'],
])('puts the sizes right in a name %s, the id unchanged', async (_, name) => {
  const box = maildirWith({ [`cur/${name},W=9:2,S`]: 'a\n' })
  const [before] = (await list(box)).entries
  expect(await repair(box, await inspect(box))).toBe(1)
  expect(filesIn(join(box, 'cur'))).toEqual([`${name},S=2,W=3:2,S`])
  const [after] = (await list(box)).entries
  expect(after).toMatchObject({ uid: before!.uid, size: 3 })
})

test('renames nothing under a Dovecot, unless that is wanted', async () => {
  const box = maildirWith({ 'cur/1.a.h,W=9:2,S': 'a\n', 'cur/2.b.h:2,': 'b\n' })
  fs.writeFileSync(join(box, 'dovecot-uidlist'), '3 V16 N3\n1 :1.a.h,W=9\n2 :2.b.h\n')
  const found = await inspect(box)
  expect(found.map(({ kind }) => kind)).toEqual(['size wrong', 'size missing'])
  expect(found.every(({ what }) => what.includes('Dovecot'))).toBe(true)
  expect(await repair(box, found)).toBe(0)
  expect(filesIn(join(box, 'cur'))).toEqual(['1.a.h,W=9:2,S', '2.b.h:2,'])
  expect(await repair(box, await inspect(box, { renameUnderDovecot: true }))).toBe(2)
  expect(filesIn(join(box, 'cur'))).toEqual(['1.a.h,S=2,W=3:2,S', '2.b.h,S=2,W=3:2,'])
})

test('clears away drafts of yesterday, and no younger ones', async () => {
  const box = maildirWith({ 'tmp/old': 'x', 'tmp/young': 'x' })
  const now = Date.now() / 1000
  fs.utimesSync(join(box, 'tmp/old'), now - 37 * HOURS, now - 37 * HOURS)
  fs.utimesSync(join(box, 'tmp/young'), now - 35 * HOURS, now - 35 * HOURS)
  await repair(box, await inspect(box))
  expect(filesIn(join(box, 'tmp'))).toEqual(['young'])
})

test('tells of what is no message and of ids that cannot be read, and touches neither', async () => {
  const box = maildirWith({ 'new/1.a.h,S=2,W=3': 'a\n' })
  fs.mkdirSync(join(box, 'new/2.dir'))
  fs.symlinkSync('/etc/passwd', join(box, 'cur/3.link'))
  fs.writeFileSync(join(box, 'mailtap-uidl'), 'nonsense')
  const found = await inspect(box)
  expect(found.map(({ kind }) => kind).toSorted()).toEqual([
    'kept ids broken',
    'not a message',
    'not a message',
  ])
  expect(await repair(box, found)).toBe(0)
})

test('finds an index that has a wrong size, and removes it', async () => {
  const files = Array.from({ length: 120 }, (_, n) => [`cur/${n}.m.h:2,`, 'm\n'] as const)
  const box = maildirWith(Object.fromEntries(files))
  // Old enough for the index to believe in.
  await new Promise((resolve) => setTimeout(resolve, 50))
  await list(box)
  expect((await inspect(box)).filter(({ kind }) => kind === 'index wrong')).toEqual([])
  // Nobody may write into a message; somebody does.
  fs.writeFileSync(join(box, 'cur/7.m.h:2,'), 'mmm\n')
  const found = (await inspect(box)).filter(({ kind }) => kind === 'index wrong')
  expect(found).toHaveLength(1)
  await repair(box, found)
  expect((await list(box)).entries[7]!.size).toBe(5)
})
