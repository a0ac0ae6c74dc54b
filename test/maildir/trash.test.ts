import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  create,
  deleted,
  Delivery,
  list,
  NotAMaildir,
  remove,
  sweepTrash,
  undelete,
} from '../../maildir/maildir.js'
import { contentAt, filesIn, letter, maildirWith, temporaryDirectory } from './helpers.js'

const three = { 'new/1.a.h': 'x', 'new/2.b.h,S=1,W=1': 'y', 'cur/3.c.h:2,FS': 'z' }
const trash = (box: string): string[] => filesIn(join(box, '.Trash/cur'))
const uids = async (box: string): Promise<string[]> =>
  (await list(box)).entries.map(({ uid }) => uid)

async function removeAll(box: string): Promise<void> {
  const listing = await list(box)
  expect(await remove(listing, listing.entries, true)).toEqual({ left: 0, cause: undefined })
}

describe('a message that is deleted', () => {
  test('is in the trash with its flags, and nowhere else', async () => {
    const box = maildirWith({ ...three, subscriptions: 'INBOX\n' })
    const listing = await list(box)
    await remove(listing, [listing.entries[0]!, listing.entries[2]!], true)
    expect(trash(box)).toEqual(['1.a.h:2,', '3.c.h:2,FS'])
    expect(filesIn(join(box, 'new'))).toEqual(['2.b.h,S=1,W=1'])
    expect(filesIn(join(box, 'cur'))).toEqual([])
    expect(filesIn(join(box, '.Trash'))).toEqual(['cur', 'maildirfolder', 'new', 'tmp'])
    expect(fs.statSync(join(box, '.Trash')).mode & 0o777).toBe(0o700)
    expect(fs.readFileSync(join(box, 'subscriptions'), 'latin1')).toBe('INBOX\n')
  })

  test('is followed to where another program has moved it', async () => {
    const box = maildirWith(three)
    const listing = await list(box)
    fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h:2,RS'))
    await remove(listing, listing.entries, true)
    expect(trash(box)).toEqual(['1.a.h:2,RS', '2.b.h,S=1,W=1:2,', '3.c.h:2,FS'])
    expect(await uids(box)).toEqual([])
  })

  test('does not come back when a session died between link and unlink', async () => {
    const box = maildirWith(three)
    fs.mkdirSync(join(box, '.Trash/cur'), { recursive: true })
    for (const part of ['new', 'tmp']) fs.mkdirSync(join(box, '.Trash', part))
    fs.linkSync(join(box, 'cur/3.c.h:2,FS'), join(box, '.Trash/cur/3.c.h:2,FS'))
    expect(await uids(box)).toHaveLength(3)
    await removeAll(box)
    expect(trash(box)).toEqual(['1.a.h:2,', '2.b.h,S=1,W=1:2,', '3.c.h:2,FS'])
    expect(await uids(box)).toEqual([])
  })

  test('replaces no other of the same name', async () => {
    const box = maildirWith({ 'new/1': 'first' })
    await removeAll(box)
    fs.writeFileSync(join(box, 'new/1'), 'second')
    await removeAll(box)
    const contents = trash(box).map((name) =>
      fs.readFileSync(join(box, '.Trash/cur', name), 'utf8'),
    )
    expect(contents.toSorted()).toEqual(['first', 'second'])
  })

  test('in new and in cur is there once', async () => {
    const box = maildirWith({ 'new/1.a.h': 'x', 'cur/1.a.h:2,S': 'x' })
    await removeAll(box)
    expect(trash(box)).toEqual(['1.a.h:2,S'])
    expect(await uids(box)).toEqual([])
  })

  test.each([
    ['a file', (path: string) => fs.writeFileSync(path, '')],
    ['a link to elsewhere', (path: string) => fs.symlinkSync(maildirWith(), path)],
  ])('stays where it is when .Trash is %s', async (_, make) => {
    const box = maildirWith(three)
    make(join(box, '.Trash'))
    const listing = await list(box)
    await expect(remove(listing, listing.entries, true)).rejects.toThrow(NotAMaildir)
    expect(await uids(box)).toHaveLength(3)
    expect([...deleted(box)]).toEqual([])
    expect(await sweepTrash(box, Date.now() + 1e9)).toBe(0)
  })

  test('goes for good where no trash can be made, so that a full disk can be emptied', async (context) => {
    if (process.getuid?.() !== 0) return context.skip('only root can mount a tiny disk')
    const disk = temporaryDirectory()
    const options = 'size=64k,nr_inodes=8'
    execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', disk], { stdio: 'pipe' })
    onTestFinished(() => void execFileSync('umount', ['-l', disk]))
    const box = join(disk, 'box')
    await create(box)
    fs.writeFileSync(join(box, 'new/1.a.h'), 'x')
    fs.writeFileSync(join(box, 'new/2.b.h'), 'x')
    await removeAll(box)
    expect(await uids(box)).toEqual([])
  })
})

describe('the trash', () => {
  test('is emptied by when a message was deleted, not by when it came', async () => {
    const box = maildirWith({ 'new/1000000000.a.h': 'old mail', 'cur/2.b.h:2,S': 'older' })
    const before = Date.now() - 60_000
    await removeAll(box)
    expect(await sweepTrash(box, before)).toBe(0)
    expect(await sweepTrash(box, Date.now() + 1000)).toBe(2)
    expect(trash(box)).toEqual([])
  })

  test('is not looked for in a Maildir without one', async () => {
    expect(await sweepTrash(maildirWith(), Date.now())).toBe(0)
  })

  test('gives messages back with their old ids, in cur', async () => {
    const box = maildirWith({ ...three, 'cur/4.d.h:2,ST': 'flagged as deleted' })
    const before = await uids(box)
    await removeAll(box)
    const found = [...deleted(box)]
    expect(new Set(found.map(({ uids: [uid] }) => uid))).toEqual(new Set(before))
    expect(
      undelete(
        box,
        found.map(({ place }) => place),
      ),
    ).toHaveLength(4)
    expect(await uids(box)).toEqual(before)
    expect(filesIn(join(box, 'cur'))).toEqual([
      '1.a.h:2,',
      '2.b.h,S=1,W=1:2,',
      '3.c.h:2,FS',
      '4.d.h:2,S',
    ])
    expect(trash(box)).toEqual([])
  })

  test('gives back only what is there, and nothing in place of another message', async () => {
    const box = maildirWith({ 'new/1': 'first' })
    await removeAll(box)
    fs.writeFileSync(join(box, 'cur/1:2,'), 'another')
    expect(undelete(box, ['.Trash/cur/1:2,', '.Trash/cur/2:2,'])).toEqual([])
    expect(fs.readFileSync(join(box, 'cur/1:2,'), 'latin1')).toBe('another')
    expect(trash(box)).toEqual(['1:2,'])
  })

  test('tells when a message was deleted, and its header', async () => {
    const box = maildirWith({ 'new/1.a.h': 'Subject: x\nTo: y\n\nbody\n' })
    const before = Date.now()
    await removeAll(box)
    const [message] = [...deleted(box)]
    expect(message).toMatchObject({ size: 23, header: 'Subject: x\nTo: y' })
    expect(Math.abs(message!.at - before)).toBeLessThan(60_000)
  })
})

describe('the trash of two who share one file', () => {
  /** Longer than the clock of a file system takes from one time to the next. */
  const TICK_MS = 30

  /** Both deleted the message, the second one a while after the first. @returns both, and a moment in between */
  async function bothDeleted(): Promise<{ first: string; uid: string; between: number }> {
    const [first, second] = [maildirWith(), maildirWith()]
    await new Delivery('h').deliverAll([first, second], letter('Subject: x\n\nhello\n'))
    const [uid] = await uids(first)
    await removeAll(first)
    await sleep(TICK_MS)
    const between = Date.now()
    await sleep(TICK_MS)
    await removeAll(second)
    return { first, uid: uid!, between }
  }

  test('is emptied for each by when it was deleted there', async () => {
    const { first, between } = await bothDeleted()
    expect([...deleted(first)][0]!.at).toBeLessThan(between)
    expect(await sweepTrash(first, between - 10 * TICK_MS)).toBe(0)
    expect(await sweepTrash(first, between)).toBe(1)
    expect(trash(first)).toEqual([])
  })

  test('gives the message back under its old name and id', async () => {
    const { first, uid } = await bothDeleted()
    const [message] = [...deleted(first)]
    expect(message!.uids).toContain(uid)
    expect(undelete(first, [message!.place])).toEqual([message!.place])
    expect(await uids(first)).toEqual([uid])
    expect(filesIn(join(first, 'cur'))[0]).toMatch(/^[^,]+,S=18,W=21:2,$/)
    expect(await contentAt(await list(first), 0)).toBe('Subject: x\r\n\r\nhello\r\n')
  })

  test('believes no time that another program brought back with the name', async () => {
    const { first, between } = await bothDeleted()
    const [name] = trash(first) as [string]
    fs.renameSync(join(first, '.Trash/cur', name), join(first, 'cur', name))
    await sleep(TICK_MS)
    await removeAll(first)
    expect(trash(first)).toHaveLength(1)
    expect(await sweepTrash(first, between)).toBe(0)
  })
})
