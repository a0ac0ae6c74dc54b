import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { adopt, keepUids } from '../../maildir/adopt.js'
import { copyFolders } from '../../maildir/copy-folders.js'
import { list } from '../../maildir/maildir.js'
import { oldListing } from '../../maildir/old-listing.js'
import { contentAt, filesIn, maildirWith, temporaryDirectory } from './helpers.js'

const FILES = {
  'new/30.c.h': 'Subject: c\n\nc\n',
  'cur/20.b.h,S=99,W=98,X=y:2,RS': 'b\r\nb\r\n',
  'cur/10.a.h:2,': 'a\n',
  'cur/15.later.h:2,': 'later\n',
}
const UIDLIST = '3 V16 N9\n1 :30.c.h\n2 :20.b.h,S=99,W=98,X=y:2,S\n3 :10.a.h\n'

/** A Maildir of Dovecot. */
function dovecotBox(): string {
  const box = maildirWith(FILES)
  fs.writeFileSync(join(box, 'dovecot-uidlist'), UIDLIST)
  return box
}

async function adopted(box: string, target: string) {
  return adopt(box, target, await oldListing(box, 'dovecot'), 'h')
}

const facts = async (box: string) =>
  (await list(box)).entries.map(({ uid, size }) => [uid, size] as const)

describe('adopting a Maildir', () => {
  test('copies every message with its flags, sizes put right, ids and order kept', async () => {
    const target = join(temporaryDirectory(), 'box')
    expect(await adopted(dovecotBox(), target)).toEqual({ copied: 4, present: 0 })
    expect(filesIn(join(target, 'new'))).toEqual(['30.c.h,S=14,W=17'])
    expect(filesIn(join(target, 'cur'))).toEqual([
      '10.a.h,S=2,W=3:2,',
      '15.later.h,S=6,W=7:2,',
      '20.b.h,X=y,S=6,W=6:2,RS',
    ])
    expect(filesIn(join(target, 'tmp'))).toEqual([])
    expect(await facts(target)).toEqual([
      ['0000000100000010', 17],
      ['0000000200000010', 6],
      ['0000000300000010', 3],
      ['15.later.h', 7],
    ])
    expect(await contentAt(await list(target), 0)).toBe('Subject: c\r\n\r\nc\r\n')
  })

  test('a second time copies nothing, and what a first one left undone', async () => {
    const [box, target] = [dovecotBox(), join(temporaryDirectory(), 'box')]
    await adopted(box, target)
    const before = await facts(target)
    expect(await adopted(box, target)).toEqual({ copied: 0, present: 4 })
    fs.unlinkSync(join(target, 'new/30.c.h,S=14,W=17'))
    fs.writeFileSync(join(target, 'tmp/30.c.h'), 'half')
    expect(await adopted(box, target)).toEqual({ copied: 1, present: 3 })
    expect(await facts(target)).toEqual(before)
    expect(filesIn(join(target, 'tmp'))).toEqual([])
  })

  test('keeps the time of a file', async () => {
    const [box, target] = [dovecotBox(), join(temporaryDirectory(), 'box')]
    fs.utimesSync(join(box, 'new/30.c.h'), 1_000, 2_000)
    await adopted(box, target)
    expect(fs.statSync(join(target, 'new/30.c.h,S=14,W=17')).mtimeMs).toBe(2_000_000)
  })

  test('gives a new name where somebody has the old one, or it is too long', async () => {
    const target = maildirWith({ 'new/10.a.h,S=5,W=6': 'mine\n' })
    const box = maildirWith({ 'cur/10.a.h:2,F': 'a\n', [`new/1.${'l'.repeat(250)}`]: 'l\n' })
    fs.writeFileSync(join(box, 'dovecot-uidlist'), `3 V16 N9\n1 :10.a.h\n2 :1.${'l'.repeat(250)}\n`)
    await adopted(box, target)
    expect((await facts(target)).slice(0, 2)).toEqual([
      ['0000000100000010', 3],
      ['0000000200000010', 3],
    ])
    expect(filesIn(join(target, 'new'))).toContain('10.a.h,S=5,W=6')
    expect(filesIn(join(target, 'cur'))).toEqual([expect.stringMatching(/,S=2,W=3:2,F$/)])
  })

  test('keeps what was kept before of messages that are still there, and drops the rest', async () => {
    const [first, target] = [dovecotBox(), join(temporaryDirectory(), 'box')]
    await adopted(first, target)
    fs.unlinkSync(join(target, 'new/30.c.h,S=14,W=17'))
    const second = maildirWith({ 'new/40.d.h': 'd\n' })
    fs.writeFileSync(join(second, 'dovecot-uidlist'), '3 V32 N9\n1 :40.d.h\n')
    await adopted(second, target)
    expect(fs.readFileSync(join(target, 'mailtap-uidl'), 'latin1').split('\n').slice(1)).toEqual([
      '40.d.h 0000000100000020',
      '20.b.h 0000000200000010',
      '10.a.h 0000000300000010',
      '',
    ])
  })

  test('in its own place touches no file but that of the ids', async () => {
    const box = dovecotBox()
    const before = ['new', 'cur'].map((part) => filesIn(join(box, part)))
    await keepUids(box, await oldListing(box, 'dovecot'))
    expect(['new', 'cur'].map((part) => filesIn(join(box, part)))).toEqual(before)
    expect((await facts(box)).map(([uid]) => uid)).toEqual([
      '0000000100000010',
      '0000000200000010',
      '0000000300000010',
      '15.later.h',
    ])
  })

  test('takes no message from a link, a FIFO or a directory', async () => {
    const [box, target] = [dovecotBox(), join(temporaryDirectory(), 'box')]
    fs.symlinkSync('/etc/passwd', join(box, 'new/50.e.h'))
    fs.mkdirSync(join(box, 'new/51.f.h'))
    execFileSync('mkfifo', [join(box, 'new/52.g.h')])
    expect(await adopted(box, target)).toEqual({ copied: 4, present: 0 })
  })
})

test('folders are copied as they are, whatever is in their names, and links are not', async () => {
  const box = maildirWith({})
  const target = maildirWith({})
  for (const part of ['cur', 'new', 'tmp'])
    fs.mkdirSync(join(box, '.Sent.2026', part), { recursive: true })
  fs.writeFileSync(join(box, '.Sent.2026/maildirfolder'), '')
  fs.writeFileSync(Buffer.from(`${box}/.Sent.2026/cur/1.\xe9,S=9:2,S`, 'latin1'), 'kept')
  fs.symlinkSync('/etc/passwd', join(box, '.Sent.2026/new/2.link'))
  fs.symlinkSync('/etc', join(box, '.link'))
  fs.writeFileSync(join(box, 'subscriptions'), 'Sent.2026\n')
  for (let times = 0; times < 2; times++) expect(await copyFolders(box, target)).toBe(1)
  expect(filesIn(target)).toEqual(['.Sent.2026', 'cur', 'new', 'subscriptions', 'tmp'])
  expect(filesIn(join(target, '.Sent.2026'))).toEqual(['cur', 'maildirfolder', 'new', 'tmp'])
  expect(filesIn(join(target, '.Sent.2026/new'))).toEqual([])
  const copy = Buffer.from(`${target}/.Sent.2026/cur/1.\xe9,S=9:2,S`, 'latin1')
  expect(fs.readFileSync(copy, 'latin1')).toBe('kept')
})
