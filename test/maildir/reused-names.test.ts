/** Names that tell no time: `msg.<inode>` of procmail, the numbers of MH. Another message may have one later. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { writeKeptUids } from '../../maildir/kept-uids.js'
import { type Entry, list, type Listing, MessageGone, read, remove } from '../../maildir/maildir.js'
import { contentAt, filesIn, maildirWith, temporaryDirectory } from './helpers.js'

/** Longer than the times of changes are doubted. */
const SETTLED_MS = 50
const OLD = 'Subject: old\n\nold\n'
const NEW = 'Subject: new\n\nnew mail, longer than the old\n'
const wire = (text: string): string => text.replaceAll('\n', '\r\n')

async function only(box: string): Promise<Entry> {
  const { entries } = await list(box)
  expect(entries).toHaveLength(1)
  return entries[0]!
}

/** A Maildir with one message, and an index that is believed. */
async function indexed(place: string, text = OLD): Promise<string> {
  const box = maildirWith({ [place]: text })
  await sleep(SETTLED_MS)
  await list(box)
  expect(fs.existsSync(join(box, 'mailtap-index'))).toBe(true)
  return box
}

describe('a message under a name that another one had', () => {
  test.each([
    ['msg.ab1', 'cur/msg.ab1:2,S', 'new/msg.ab1'],
    ['a number', 'cur/5:2,S', 'cur/5:2,'],
    ['a name with sizes that are right for both', 'cur/5,S=5:2,S', 'new/5,S=5'],
  ])('is listed as itself: %s', async (_, from, to) => {
    const box = await indexed(from)
    const before = await only(box)
    fs.unlinkSync(join(box, from))
    fs.writeFileSync(join(box, to), NEW)
    const listing = await list(box)
    expect(listing.entries).toHaveLength(1)
    const after = listing.entries[0]!
    expect(after.size).toBe(wire(NEW).length)
    expect(after.uid).not.toBe(before.uid)
    expect(await contentAt(listing, 0)).toBe(wire(NEW))
  })

  test('has another id though it has the length of the old one, and a size in its name', async () => {
    const box = await indexed('cur/5,W=4:2,S', 'aa\n')
    const { uid } = await only(box)
    fs.writeFileSync(join(box, 'tmp/5'), 'bb\n')
    fs.renameSync(join(box, 'tmp/5'), join(box, 'cur/5,W=4:2,S'))
    expect(await only(box)).toMatchObject({ size: 4 })
    expect((await only(box)).uid).not.toBe(uid)
  })

  test('is not read in place of the one that was listed', async () => {
    const box = maildirWith({ 'new/msg.ab1': 'aa\n' })
    const listing = await list(box)
    fs.writeFileSync(join(box, 'tmp/next'), 'bb\n')
    fs.renameSync(join(box, 'tmp/next'), join(box, 'new/msg.ab1'))
    await expect(contentAt(listing, 0)).rejects.toThrow(MessageGone)
    expect(await contentAt(await list(box), 0)).toBe('bb\r\n')
  })

  test('that somebody wrote into is served by the next listing', async () => {
    const box = await indexed('new/msg.ab1')
    fs.appendFileSync(join(box, 'new/msg.ab1'), 'more\n')
    await expect(contentAt(await list(box), 0)).rejects.toThrow(MessageGone)
    expect(await contentAt(await list(box), 0)).toBe(wire(`${OLD}more\n`))
  })
})

describe('the id of a message whose name can come back', () => {
  const changes: Readonly<Record<string, (box: string) => unknown>> = {
    'flags change': (box) => fs.renameSync(join(box, 'cur/5:2,S'), join(box, 'cur/5:2,FRS')),
    'it gets sizes': (box) => {
      const to = `cur/5,S=${OLD.length},W=${wire(OLD).length}:2,S`
      fs.renameSync(join(box, 'cur/5:2,S'), join(box, to))
    },
    'the index is lost': (box) => fs.unlinkSync(join(box, 'mailtap-index')),
    'its time changes': (box) => {
      fs.utimesSync(join(box, 'cur/5:2,S'), 1, 1)
      fs.renameSync(join(box, 'cur/5:2,S'), join(box, 'cur/5:2,'))
    },
  }
  test.each(Object.keys(changes))('stays when %s', async (change) => {
    const box = await indexed('cur/5:2,S')
    const { uid } = await only(box)
    expect(uid).toMatch(/^5-[0-9a-f]{12}$/)
    changes[change]!(box)
    expect((await only(box)).uid).toBe(uid)
  })

  test('is the same when it moves from new to cur, and in any copy of the Maildir', async () => {
    const box = await indexed('new/msg.ab1')
    const { uid } = await only(box)
    fs.renameSync(join(box, 'new/msg.ab1'), join(box, 'cur/msg.ab1:2,S'))
    expect((await only(box)).uid).toBe(uid)
    const copy = join(temporaryDirectory(), 'copy')
    fs.cpSync(box, copy, { recursive: true })
    expect((await only(copy)).uid).toBe(uid)
  })

  test('is the one that is kept, if one is', async () => {
    const box = await indexed('new/5')
    const { uid } = await only(box)
    await writeKeptUids(box, new Map([['5', 'UID7-8']]))
    expect((await only(box)).uid).toBe('UID7-8')
    fs.renameSync(join(box, 'new/5'), join(box, 'cur/5:2,S'))
    expect((await only(box)).uid).toBe('UID7-8')
    fs.unlinkSync(join(box, 'mailtap-uidl'))
    expect((await only(box)).uid).toBe(uid)
  })

  test('differs from that of a message of the same content', async () => {
    const box = maildirWith({ 'new/5': OLD, 'new/6': OLD, 'new/6,x': OLD })
    const uids = (await list(box)).entries.map(({ uid }) => uid)
    expect(new Set(uids).size).toBe(3)
    expect((await list(box)).entries.map(({ uid }) => uid)).toEqual(uids)
  })

  test('costs no second look at the content of that very file', async () => {
    const box = maildirWith({ 'cur/5:2,S': OLD })
    // A time that can be set again to the last digit.
    fs.utimesSync(join(box, 'cur/5:2,S'), 1e9, 1e9)
    await sleep(SETTLED_MS)
    const before = await only(box)
    const { atime, mtime } = fs.statSync(join(box, 'cur/5:2,S'))
    // What nobody may do, and in a way that nobody can see from without.
    fs.writeFileSync(join(box, 'cur/5:2,S'), OLD.replaceAll('old', 'OLD'))
    fs.utimesSync(join(box, 'cur/5:2,S'), atime, mtime)
    fs.renameSync(join(box, 'cur/5:2,S'), join(box, 'cur/5:2,FS'))
    expect(await only(box)).toMatchObject({ uid: before.uid, size: before.size })
  })
})

describe.each([
  ['for good', false],
  ['into the trash', true],
])('a removal %s', (_, trash) => {
  const removal = (listing: Listing) => remove(listing, listing.entries, trash)

  test('leaves a message that came under the name after the listing', async () => {
    const box = maildirWith({ 'new/msg.ab1': OLD, 'new/msg.ab2': OLD })
    const listing = await list(box)
    // With the length of the old one, and perhaps its inode.
    fs.unlinkSync(join(box, 'new/msg.ab1'))
    fs.writeFileSync(join(box, 'new/msg.ab1'), OLD.replaceAll('old', 'NEW'))
    expect(await removal(listing)).toMatchObject({ left: 0 })
    expect(filesIn(join(box, 'new'))).toEqual(['msg.ab1'])
    expect(await contentAt(await list(box), 0)).toBe(wire(OLD.replaceAll('old', 'NEW')))
  })

  test('follows the message it means, past another that has its name', async () => {
    const box = maildirWith({ 'new/5': OLD })
    const listing = await list(box)
    await read(listing, listing.entries[0]!)
    fs.renameSync(join(box, 'new/5'), join(box, 'cur/5:2,S'))
    fs.writeFileSync(join(box, 'new/5'), NEW)
    expect(await removal(listing)).toMatchObject({ left: 0 })
    expect(filesIn(join(box, 'cur'))).toEqual([])
    expect(fs.readFileSync(join(box, 'new/5'), 'latin1')).toBe(NEW)
  })

  test('finds it after a change of flags', async () => {
    const box = maildirWith({ 'new/5': OLD })
    const listing = await list(box)
    fs.renameSync(join(box, 'new/5'), join(box, 'cur/5:2,RS'))
    expect(await removal(listing)).toMatchObject({ left: 0 })
    expect((await list(box)).entries).toEqual([])
  })
})
