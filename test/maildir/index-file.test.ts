import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readIndex } from '../../maildir/index-file.js'
import { list, read, WrongSize } from '../../maildir/maildir.js'
import { old, stampsOf } from '../../maildir/stamps.js'
import { fill, maildirOn, smallDisk } from './disks.js'
import { filesIn, maildirWith, temporaryDirectory, textOf } from './helpers.js'
import { program } from './program.js'

/** Longer than the times of changes are doubted. */
const SETTLED_MS = 30

const indexOf = (box: string): string => join(box, 'mailtap-index')

async function seen(box: string): Promise<object[]> {
  const { entries } = await list(box)
  return entries.map(({ base, uid, size, places }) => ({ base, uid, size, places }))
}

/** What is listed when there is no index; the one that there is stays as it is. */
async function seenWithout(box: string): Promise<object[]> {
  const aside = join(box, '..', 'aside')
  const there = fs.existsSync(indexOf(box))
  if (there) fs.renameSync(indexOf(box), aside)
  const found = await seen(box)
  fs.rmSync(indexOf(box), { force: true })
  if (there) fs.renameSync(aside, indexOf(box))
  return found
}

/** A Maildir with an index that is believed. */
async function indexed(files: Readonly<Record<string, string>>): Promise<string> {
  const box = maildirWith(files)
  await sleep(SETTLED_MS)
  await list(box)
  expect(fs.existsSync(indexOf(box))).toBe(true)
  return box
}

const pick = (names: readonly string[], n: number): string | undefined => names[n % names.length]

/** What other programs do to a Maildir. */
const changes: Readonly<Record<string, (box: string, n: number) => unknown>> = {
  deliver: (box, n) => fs.writeFileSync(join(box, 'new', `${n}.a${n}.h`), 'line\n'.repeat(n % 9)),
  deliverSized: (box, n) => fs.writeFileSync(join(box, 'new', `${n}.b${n}.h,S=1,W=2`), '\n'),
  deliverTwin: (box, n) => fs.writeFileSync(join(box, 'cur', `${n}.a${n}.h,x:2,`), 'x'),
  reuse: (box, n) => {
    fs.writeFileSync(join(box, 'tmp/next'), `${'line\n'.repeat(n % 3)}${deliveries++}`)
    fs.renameSync(join(box, 'tmp/next'), join(box, 'new', `${n}`))
  },
  remove: (box, n) => removeOne(box, pick(filesIn(join(box, 'cur')), n)),
  see: (box, n) => {
    const name = pick(filesIn(join(box, 'new')), n)
    if (name !== undefined) fs.renameSync(`${box}/new/${name}`, `${box}/cur/${name}:2,S`)
  },
  flag: (box, n) => {
    const name = pick(filesIn(join(box, 'cur')), n)
    const base = name?.split(':')[0]
    if (name !== undefined) fs.renameSync(`${box}/cur/${name}`, `${box}/cur/${base}:2,F${n}`)
  },
  leaveInBoth: (box, n) => {
    const name = pick(filesIn(join(box, 'new')), n)
    if (name === undefined || fs.existsSync(`${box}/cur/${name}:2,`)) return
    fs.linkSync(`${box}/new/${name}`, `${box}/cur/${name}:2,`)
  },
  makeFolder: (box, n) => fs.mkdirSync(`${box}/cur/${n}.dir`, { recursive: true }),
  list: (box) => list(box),
  settle: () => sleep(SETTLED_MS),
  loseIndex: (box) => fs.rmSync(indexOf(box), { force: true }),
}

/** So that no message is like another. */
let deliveries = 0

function removeOne(box: string, name: string | undefined): void {
  if (name !== undefined) fs.rmSync(`${box}/cur/${name}`, { recursive: true })
}

const steps = fc.array(fc.tuple(fc.constantFrom(...Object.keys(changes)), fc.nat(12)), {
  maxLength: 30,
})

test('whatever happens to a Maildir, and however fast, the index changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const box = maildirWith({ 'cur/1.z.h:2,': 'z\n' })
      for (const [change, n] of all) await changes[change]!(box, n)
      // Which of two had the id that both would have only an index remembers (uids.test.ts).
      const twins = all.some(([change]) => change === 'deliverTwin')
      const idless = (each: object): object => (twins ? { ...each, uid: null } : each)
      const expected = (await seenWithout(box)).map(idless)
      expect((await seen(box)).map(idless)).toEqual(expected)
    }),
    { numRuns: 150 },
  )
})

test('while nothing changed no message is looked at, and a wrong memory is put right', async () => {
  const box = await indexed({ 'new/1.a.h': 'x\n' })
  fs.writeFileSync(join(box, 'new/1.a.h'), 'longer\n')
  const listing = await list(box)
  expect(listing.entries[0]!.size).toBe(3)
  await expect(read(listing, listing.entries[0]!)).rejects.toThrow(WrongSize)
  expect((await list(box)).entries[0]!.size).toBe(8)
})

test('sizes that took reading are remembered through changes of both folders', async () => {
  const box = await indexed({ 'new/1.a.h': 'x\n' })
  fs.writeFileSync(join(box, 'new/1.a.h'), 'longer\n')
  fs.renameSync(join(box, 'new/1.a.h'), join(box, 'cur/1.a.h:2,S'))
  expect((await list(box)).entries[0]!.size).toBe(3)
})

test('an index made right after a change is not believed for what the folders hold', async () => {
  const box = maildirWith({ 'new/1.a.h': 'x\n' })
  // In the future, so that no wait can make it old.
  fs.utimesSync(join(box, 'new'), 4e9, 4e9)
  await sleep(SETTLED_MS)
  await list(box)
  expect(readIndex(box, stampsOf(box))!.fresh.modified).toBe(0n)
  fs.utimesSync(join(box, 'new'), 1e9, 1e9)
  await sleep(SETTLED_MS)
  await list(box)
  expect(readIndex(box, stampsOf(box))!.fresh).toEqual(stampsOf(box).fresh)
})

const SECOND = 1_000_000_000n
const LATE = 1_800_000_000n * SECOND

test.each([
  ['as young as a tick', LATE - 19_000_000n, LATE - SECOND, false],
  ['older than a tick', LATE - 21_000_000n, LATE - SECOND - 1n, true],
  ['set back, but changed just now', LATE - SECOND, LATE - 1n, false],
  ['in whole seconds, the last two', LATE - 2n * SECOND, LATE - 2n * SECOND, false],
  ['in whole seconds, three ago', LATE - 3n * SECOND, LATE - 3n * SECOND, true],
  ['in the future', LATE + 1n, LATE - SECOND, false],
])('a time of change that is %s', (_, modified, changed, believed) => {
  expect(old({ inode: 1n, modified, changed }, LATE)).toBe(believed)
})

test('a copy of a Maildir does not believe the index that came with it', async () => {
  const box = await indexed({ 'new/1.a.h': 'x\n' })
  const copy = join(temporaryDirectory(), 'copy')
  fs.cpSync(box, copy, { recursive: true, preserveTimestamps: true })
  fs.writeFileSync(join(copy, 'new/1.a.h'), 'longer\n')
  expect((await list(copy)).entries[0]!.size).toBe(8)
})

test('an index with any octet changed, or cut off anywhere, is not believed', async () => {
  const box = await indexed({ 'new/1.a.h': 'x\n', 'cur/2.b.h:2,S': 'y' })
  const good = fs.readFileSync(indexOf(box))
  const expected = await seen(box)
  const damage = fc.record({ at: fc.nat(good.length - 1), by: fc.integer({ min: 1, max: 255 }) })
  const damaged = fc.oneof(
    damage.map(({ at, by }) => good.map((octet, n) => (n === at ? octet ^ by : octet))),
    fc.nat(good.length - 1).map((length) => good.subarray(0, length)),
    fc.constant(Buffer.concat([good, Buffer.from('more')])),
    fc.constant(Buffer.alloc(good.length)),
  )
  await fc.assert(
    fc.asyncProperty(damaged, async (bytes) => {
      fs.writeFileSync(indexOf(box), bytes)
      expect(await seen(box)).toEqual(expected)
      // It was made anew, not repaired.
      expect(fs.readFileSync(indexOf(box)).equals(good)).toBe(true)
    }),
    { numRuns: 200 },
  )
})

test.each([
  ['a symbolic link', (path: string, other: string) => fs.symlinkSync(other, path)],
  ['a hard link', (path: string, other: string) => fs.linkSync(other, path)],
  ['a FIFO', (path: string) => void execFileSync('mkfifo', [path])],
  ['a directory', (path: string) => fs.mkdirSync(path)],
])('%s in place of the index is not believed', async (_, make) => {
  const box = await indexed({ 'new/1.a.h': 'x\n' })
  const other = join(box, '..', 'other')
  fs.renameSync(indexOf(box), other)
  make(indexOf(box), other)
  fs.writeFileSync(join(box, 'new/1.a.h'), 'longer\n')
  expect((await list(box)).entries[0]!.size).toBe(8)
})

test('an index of another owner is not believed', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can give a file to another owner')
  const box = await indexed({ 'new/1.a.h': 'x\n' })
  fs.chownSync(indexOf(box), 12_345, 12_345)
  fs.writeFileSync(join(box, 'new/1.a.h'), 'longer\n')
  expect((await list(box)).entries[0]!.size).toBe(8)
})

test('mail is served from a full disk, and from one that cannot be written', async (context) => {
  const disk = smallDisk()
  if (disk === null) return context.skip('only root can mount a small disk')
  const box = maildirOn(disk)
  fs.writeFileSync(join(box, 'new/1.a.h'), 'x\n')
  fill(disk, 0)
  await sleep(SETTLED_MS)
  const check = async (): Promise<void> => {
    const listing = await list(box)
    expect(await textOf(await read(listing, listing.entries[0]!))).toBe('x\r\n')
    expect(fs.existsSync(indexOf(box))).toBe(false)
    expect(filesIn(join(box, 'tmp'))).toEqual([])
  }
  await check()
  execFileSync('mount', ['-o', 'remount,ro', disk])
  await check()
})

test('processes that write the index at once leave one that is whole', async () => {
  const files = Array.from({ length: 300 }, (_, n) => [`cur/${1000 + n}.m.h:2,`, 'x\n'] as const)
  const box = await indexed(Object.fromEntries(files))
  const expected = await seen(box)
  const script = `import fs from 'node:fs'
    for (let n = 0; n < 150; n++) {
      fs.rmSync(${JSON.stringify(indexOf(box))}, { force: true })
      const { entries } = await list(${JSON.stringify(box)})
      if (entries.length !== 300 || entries.some(({ size }) => size !== 3)) process.exit(1)
    }`
  const ends = [1, 2].map(() => once(spawn(process.execPath, program(script)), 'exit'))
  const over = Promise.all(ends)
  for (let n = 0; n < 100; n++) expect(await seen(box)).toEqual(expected)
  expect((await over).map(([code]) => code as unknown)).toEqual([0, 0])
  expect(await seen(box)).toEqual(expected)
  expect(filesIn(join(box, 'tmp'))).toEqual([])
})
