/** The clock of a file server is not ours: what is believed of a Maildir depends on the server's alone. */
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { FileClock, moment } from '../../maildir/file-clock.js'
import { listNow } from '../../maildir/list-now.js'
import { scan } from '../../maildir/scan.js'
import { stampsOf } from '../../maildir/stamps.js'
import { Table } from '../../maildir/table.js'
import { coarseDisk, maildirOn } from './disks.js'
import { filesIn, maildirWith } from './helpers.js'

/** Longer than the times of changes are doubted. */
const SETTLED_MS = 30
const MINUTE_MS = 60_000
/** Far beyond what any two machines differ. */
const YEAR_MS = 365 * 24 * 60 * MINUTE_MS

afterEach(() => {
  vi.useRealTimers()
})

/** Only what `Date` says: as if the file system's clock were behind by so much, or ahead. */
const setOurClock = (aheadMs: number): unknown => vi.setSystemTime(Date.now() + aheadMs)

const basesIn = (box: string): string[] => {
  const table = new Table(listNow(box).table)
  return Array.from({ length: table.count }, (_, at) => table.base(at))
}

describe.each([
  ['a second', 1_000],
  ['two minutes', 2 * MINUTE_MS],
  ['a year', YEAR_MS],
])('a file system whose clock differs from ours by %s', (_, apart) => {
  test.each([
    ['behind', apart],
    ['ahead', -apart],
  ])(
    '%s: a change just now is not believed to be the last, an older one is',
    async (_way, ahead) => {
      const box = maildirWith()
      setOurClock(ahead)
      fs.writeFileSync(join(box, 'new/1.a.h,W=1'), '')
      expect(scan(box, null).settled).toBeNull()
      // A busy machine may look at the clock so slowly that one look is no proof.
      const settled = () => scan(box, null).settled
      await expect.poll(settled, { interval: SETTLED_MS, timeout: 10_000 }).toEqual(stampsOf(box))
      expect(filesIn(join(box, 'tmp'))).toEqual([])
    },
  )
})

test('on a server with coarse times that is behind us no new message is missed', (context) => {
  const disk = coarseDisk()
  if (disk === null) return context.skip('only root can mount a disk with times in whole seconds')
  const box = maildirOn(disk)
  setOurClock(10_000)
  const names = Array.from({ length: 60 }, (_, n) => `${100 + n}.a.h`)
  for (const [n, name] of names.entries()) {
    fs.writeFileSync(join(box, 'new', name), 'x\n')
    expect(basesIn(box)).toEqual(names.slice(0, n + 1))
  }
})

test('nothing is written to tell the time of a Maildir that has been idle', async () => {
  const box = maildirWith({ 'new/1.a.h,W=1': 'x' })
  const before = fs.statSync(join(box, 'tmp')).mtimeMs
  await sleep(SETTLED_MS)
  setOurClock(2 * MINUTE_MS)
  expect(basesIn(box)).toEqual(['1.a.h,W=1'])
  expect(fs.statSync(join(box, 'tmp')).mtimeMs).toBe(before)
})

describe('the clock of a file system', () => {
  test('tells any moment, before or after it was looked at, and never too late', async () => {
    const clock = new FileClock(maildirWith())
    const before = moment()
    const ours = BigInt(Date.now()) * 1_000_000n
    await sleep(SETTLED_MS)
    const told = clock.at(before)!
    expect(told).toBeLessThan(ours + 1_000_000n)
    expect(told).toBeGreaterThan(ours - 1_000_000_000n)
    const after = clock.at(moment())!
    expect(after).toBeGreaterThan(told)
    expect(after).toBeLessThan(BigInt(Date.now() + 1) * 1_000_000n)
  })

  test.each([
    ['a link', (tmp: string) => fs.symlinkSync(fs.mkdtempSync(`${tmp}-`), tmp)],
    ['missing', () => {}],
    ['a file', (tmp: string) => fs.writeFileSync(tmp, '')],
  ])('cannot be told where tmp is %s, and then nothing is believed', async (_, make) => {
    const box = maildirWith({ 'new/1.a.h': 'x\n' })
    fs.rmdirSync(join(box, 'tmp'))
    make(join(box, 'tmp'))
    await sleep(SETTLED_MS)
    expect(new FileClock(box).at(moment())).toBeNull()
    expect(scan(box, null)).toMatchObject({ settled: null })
    expect(basesIn(box)).toEqual(['1.a.h'])
  })
})
