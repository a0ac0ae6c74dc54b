/** Whether a Maildir changed while it was counted: also when the times of its folders do not tell. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { changedSince, type Count, countNow } from '../../maildir/count-now.js'
import { FileClock, moment } from '../../maildir/file-clock.js'
import { stampIn } from '../../maildir/stamps.js'
import { coarseDisk, maildirOn } from './disks.js'
import { maildirWith } from './helpers.js'

/** Longer than the times of changes are doubted. */
const SETTLED_MS = 30
const SECOND_MS = 1_000

const boxWithFolder = (): string => {
  const box = maildirWith({ 'new/1.a.h': '1', 'cur/2.b.h:2,S': '2' })
  for (const part of ['new', 'cur']) fs.mkdirSync(join(box, '.Sent', part), { recursive: true })
  fs.writeFileSync(join(box, '.Sent/cur/3.c.h:2,S'), '3')
  return box
}

/** The same count, had all changes since left the times of change as they were. */
function hidden(box: string, { usage, seen }: Count): Count {
  const now = (place: string): fs.BigIntStats => fs.lstatSync(join(box, place), { bigint: true })
  const entries = [...seen].map(
    ([place, { names }]) => [place, { stamp: stampIn(now(place)), names }] as const,
  )
  return { usage, seen: new Map(entries) }
}

const changes: readonly (readonly [string, (box: string) => void])[] = [
  ['new mail', (box) => fs.writeFileSync(join(box, 'new/4.d.h'), '4')],
  ['new mail in a folder', (box) => fs.writeFileSync(join(box, '.Sent/new/4.d.h'), '4')],
  ['a removal', (box) => fs.unlinkSync(join(box, 'cur/2.b.h:2,S'))],
  ['a flag', (box) => fs.renameSync(join(box, 'cur/2.b.h:2,S'), join(box, 'cur/2.b.h:2,ST'))],
]

test.each(changes)('%s that left the same time of change is seen', (_, change) => {
  const box = boxWithFolder()
  const began = new FileClock(box).at(moment())
  const count = countNow(box)
  change(box)
  expect(changedSince(box, count, began)).toBe(true)
  expect(changedSince(box, hidden(box, count), began)).toBe(true)
  // Where nobody can tell the time, the names do.
  expect(changedSince(box, hidden(box, count), null)).toBe(true)
})

test.each([
  ['came', (box: string) => fs.mkdirSync(join(box, '.Drafts/new'), { recursive: true })],
  ['went', (box: string) => fs.rmSync(join(box, '.Sent'), { recursive: true })],
])('a folder that %s is a change', (_, change) => {
  const box = boxWithFolder()
  const count = countNow(box)
  change(box)
  expect(changedSince(box, count, null)).toBe(true)
})

test('what did not change is no change, however young it is', async () => {
  const box = boxWithFolder()
  const began = new FileClock(box).at(moment())
  const count = countNow(box)
  expect(changedSince(box, count, began)).toBe(false)
  expect(changedSince(box, count, null)).toBe(false)
  await sleep(SETTLED_MS)
  expect(changedSince(box, countNow(box), new FileClock(box).at(moment()))).toBe(false)
})

test('on a disk with times in whole seconds a change within one is seen', async (context) => {
  const disk = coarseDisk()
  if (disk === null) return context.skip('only root can mount a disk with times in whole seconds')
  const box = maildirOn(disk)
  // Times of files lag behind by up to a tick.
  await sleep(SECOND_MS - (Date.now() % SECOND_MS) + SETTLED_MS)
  fs.writeFileSync(join(box, 'new/1.a.h'), '1')
  const began = new FileClock(box).at(moment())
  const count = countNow(box)
  fs.writeFileSync(join(box, 'new/2.b.h'), '2')
  expect(changedSince(box, count, began)).toBe(true)
})
