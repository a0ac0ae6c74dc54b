/** A `tmp` that is a link to elsewhere: mail is served, and nothing is written through the link. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { writeKeptUids } from '../../maildir/kept-uids.js'
import { list, NotAMaildir, NOTHING, remove, usageOf } from '../../maildir/maildir.js'
import { contentAt, filesIn, maildirWith, temporaryDirectory } from './helpers.js'

/** Longer than the times of changes are doubted. */
const SETTLED_MS = 30
const quota = { bytes: 1_000, messages: 10 }

/** A Maildir whose `tmp` leads to a directory of somebody else. */
function linked(): { box: string; untouched: () => void } {
  const box = maildirWith({ 'new/1.a.h': 'x\n', 'cur/2.b.h:2,S': 'yy\n' })
  const other = temporaryDirectory()
  fs.rmdirSync(join(box, 'tmp'))
  fs.symlinkSync(other, join(box, 'tmp'))
  const traces = (): unknown => {
    const { mtimeNs, ctimeNs } = fs.lstatSync(other, { bigint: true })
    return { mtimeNs, ctimeNs, files: filesIn(other) }
  }
  const before = traces()
  return { box, untouched: () => expect(traces()).toEqual(before) }
}

test('a listing serves its mail and leaves no index', async () => {
  const { box, untouched } = linked()
  await sleep(SETTLED_MS)
  const listing = await list(box)
  expect(await contentAt(listing, 0)).toBe('x\r\n')
  expect((await list(box)).entries.map(({ size }) => size)).toEqual([3, 4])
  expect(await remove(listing, [listing.entries[0]!])).toEqual({ left: 0 })
  expect(filesIn(box)).toEqual(['cur', 'new', 'tmp'])
  untouched()
})

test('a quota is counted and no maildirsize is written', async () => {
  const { box, untouched } = linked()
  expect(await usageOf(box, quota, NOTHING)).toEqual({ bytes: 5, messages: 2 })
  expect(filesIn(box)).toEqual(['cur', 'new', 'tmp'])
  untouched()
})

test('kept ids, which are no cache, are refused', async () => {
  const { box, untouched } = linked()
  await expect(writeKeptUids(box, new Map([['1.a.h', 'x']]))).rejects.toThrow(NotAMaildir)
  expect(filesIn(box)).toEqual(['cur', 'new', 'tmp'])
  untouched()
})
