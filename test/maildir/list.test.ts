import fs from 'node:fs'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Delivery, list, NotAMaildir } from '../../maildir/maildir.js'
import { filesIn, letter, maildirWith } from './helpers.js'

test('sizes count CR LF line ends, from the name or from the content', async () => {
  const box = maildirWith({
    'new/1.a.h,S=5,W=77': 'never read',
    'cur/2.b.h:2,S': 'a\nb\r\nc\r',
    'cur/3.c.h,W=01:2,': '\n',
    'new/4.d.h': '',
  })
  expect((await list(box)).entries.map(({ uid, size }) => [uid, size])).toEqual([
    ['1.a.h', 77],
    ['2.b.h', 10],
    ['3.c.h', 2],
    ['4.d.h', 0],
  ])
})

test('leftovers in tmp and names with a leading dot are no messages', async () => {
  const box = maildirWith({ 'tmp/1.a.h': 'x', 'new/.hidden': 'x', 'cur/2.b.h:2,': 'x' })
  expect((await list(box)).entries.map(({ base }) => base)).toEqual(['2.b.h'])
})

test('the oldest comes first: by number, not by digit', async () => {
  const box = maildirWith()
  const names = [
    '999.z.h',
    '1000.M5P1Q9Rabcdef01.h,W=1',
    '1000.M40P1Q1Rabcdef01.h,W=1',
    '1000.M40P1Q12Rabcdef01.h,W=1',
    '1001.a.h',
    '1001.b.h',
    'dropped-by-hand',
    'then-another',
  ]
  for (const name of names.toReversed()) fs.writeFileSync(join(box, 'new', name), 'x')
  expect((await list(box)).entries.map(({ base }) => base)).toEqual(names)
})

test('own deliveries are listed in the order they were made', async () => {
  const box = maildirWith()
  const delivery = new Delivery('h')
  for (let i = 0; i < 30; i++) await delivery.deliver(box, letter('x'.repeat(i)))
  const sizes = (await list(box)).entries.map(({ size }) => size)
  expect(sizes).toEqual(Array.from({ length: 30 }, (_, i) => i))
})

test('the id does not change with flags or with the move to cur', async () => {
  const box = maildirWith({ 'new/1.a.h,S=1,W=1': 'x' })
  const before = (await list(box)).entries[0]!.uid
  fs.renameSync(join(box, 'new/1.a.h,S=1,W=1'), join(box, 'cur/1.a.h,S=1,W=1:2,FRS'))
  expect((await list(box)).entries.map(({ uid }) => uid)).toEqual([before])
})

test('ids are fit for UIDL whatever the names are', async () => {
  const long = `1.${'l'.repeat(90)}`
  const names = [
    long,
    '2.with space',
    '3.caf\u00e9',
    '4.twin,S=1',
    '4.twin,S=2',
    '5.a\r\nb',
    ',W=3',
  ]
  const box = maildirWith()
  for (const name of names) fs.writeFileSync(Buffer.from(`${box}/new/${name}`, 'latin1'), 'x')
  const first = (await list(box)).entries
  expect(first).toHaveLength(names.length)
  expect(new Set(first.map(({ uid }) => uid)).size).toBe(names.length)
  expect(first.filter(({ uid }) => !/^[!-~]{1,70}$/.test(uid))).toEqual([])
  fs.renameSync(join(box, 'new', long), join(box, 'cur', `${long}:2,S`))
  expect((await list(box)).entries.map(({ uid }) => uid)).toEqual(first.map(({ uid }) => uid))
})

test('a message seen in new and in cur is one', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x', 'cur/1.a.h:2,S': 'x' })
  const listing = await list(box)
  expect(listing.entries).toHaveLength(1)
  expect(listing.entries[0]!.places).toEqual(['cur/1.a.h:2,S', 'new/1.a.h'])
})

test('a directory, a FIFO and a symbolic link are no messages', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x' })
  fs.mkdirSync(join(box, 'new/2.b.h'))
  execFileSync('mkfifo', [join(box, 'new/3.c.h')])
  fs.symlinkSync('/etc/passwd', join(box, 'new/4.d.h'))
  expect((await list(box)).entries.map(({ base }) => base)).toEqual(['1.a.h'])
})

test.each(['', 'new', 'cur'])(
  'a symbolic link or a file in place of "%s" is refused',
  async (part) => {
    for (const make of [
      (path: string) => fs.symlinkSync(maildirWith({ 'new/1.a.h': 'x' }), path),
      (path: string) => fs.writeFileSync(path, 'x'),
    ]) {
      const box = maildirWith()
      const path = part === '' ? box : join(box, part)
      fs.rmSync(path, { recursive: true })
      make(path)
      await expect(list(box)).rejects.toSatisfy(
        (error: unknown) =>
          error instanceof NotAMaildir || (error as { code?: string }).code === 'ENOTDIR',
      )
    }
  },
)

test('a Maildir that is not there says so', async () => {
  await expect(list('/nonexistent/box')).rejects.toMatchObject({ code: 'ENOENT' })
})

/** A program that never stops changing the flags of all messages in a `cur`. */
const RESTLESS = `
  const fs = require('node:fs')
  const [cur, ...bases] = process.argv.slice(1)
  const flags = ['', 'S', 'RS', 'F']
  for (let round = 0; ; round++) {
    for (const base of bases) {
      const to = cur + '/' + base + ':2,' + flags[(round + 1) % 4]
      fs.renameSync(cur + '/' + base + ':2,' + flags[round % 4], to)
    }
    if (round === 0) process.stdout.write('moving')
  }`

test('nothing is lost or doubled while another program changes flags', async () => {
  const bases = Array.from({ length: 2000 }, (_, i) => `${1000 + i}.m.h,W=1`)
  const box = maildirWith(Object.fromEntries(bases.map((base) => [`cur/${base}:2,`, 'x'])))
  const restless = spawn(process.execPath, ['-e', RESTLESS, join(box, 'cur'), ...bases])
  const ended = once(restless, 'exit')
  try {
    await once(restless.stdout, 'data')
    for (let i = 0; i < 40; i++) {
      expect((await list(box)).entries.map(({ base }) => base)).toEqual(bases)
    }
    expect(restless.exitCode).toBeNull()
  } finally {
    restless.kill()
    await ended
  }
})

test('nothing is lost or doubled while messages move from new to cur', async () => {
  const bases = Array.from({ length: 500 }, (_, i) => `${1000 + i}.m.h,W=1`)
  const box = maildirWith(Object.fromEntries(bases.map((base) => [`new/${base}`, 'x'])))
  const moving = (async () => {
    for (const base of bases) {
      await fs.promises.rename(join(box, 'new', base), join(box, 'cur', `${base}:2,S`))
    }
  })()
  for (let i = 0; i < 30; i++) {
    expect((await list(box)).entries.map(({ base }) => base)).toEqual(bases)
  }
  await moving
  expect(filesIn(join(box, 'new'))).toEqual([])
})
